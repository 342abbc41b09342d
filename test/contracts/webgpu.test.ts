// The op contract on WebGPU through a graphics card in software, where one is installed.
import { afterAll, describe, expect, it } from "vitest";
import { gradient } from "../../src/autodiff/gradient.js";
import { toNumbers, type Tensor } from "../../src/base/tensor.js";
import { graphFunction } from "../../src/graph/function.js";
import { interpret } from "../../src/graph/interpret.js";
import { apply, input, type Node } from "../../src/graph/node.js";
import { exportFunction } from "../../src/onnx/export.js";
import * as ops from "../../src/ops/index.js";
import { checkPlacement } from "../../src/runtime/placement.js";
import { draw, type Drawn } from "../support/samples.js";
import { apartEngine, driver } from "../support/software-driver.js";

const batch = 3;
const registered = Object.values(ops).flatMap((value) => ("op" in value ? [value.op] : []));
const engine = apartEngine({ provider: "webgpu", threads: 1 });
afterAll(() => engine.close());

const batchInput = input("batchSource", [{ batch: 1, plus: 0 }]);

/** `outputs` of one graph lowered for the provider and run there. */
async function run(outputs: Readonly<Record<string, Node>>, { nodes, tensors }: Drawn) {
  const fn = graphFunction("example", [...nodes, batchInput], { ...outputs, batchCopy: batchInput });
  const program = await engine.load(exportFunction(fn, { target: await engine.target() }));
  const source = { dtype: "float32", shape: [batch], data: new Float32Array(batch) } as const;
  const results = await program.run({ ...tensors, batchSource: source });
  await program.release();
  return results;
}

/** WGSL asks for an absolute error of 2⁻¹¹ of sine and cosine, 2⁹ units: no more can be held to. */
const loose = new Set(["sin", "cos"]);

/** The largest error in units of 2⁻²⁰ of the sum of absolute terms, as in the contract on the processor. */
function errorOf(got: Tensor | undefined, node: Node, { arrays }: Drawn): number {
  const want = interpret([node], { batch, values: arrays })[0];
  if (got === undefined || want === undefined) throw new Error("no value");
  expect(got.shape).toEqual(want.shape);
  const inputs = Object.values(arrays);
  const largest = inputs.map(({ data }) => data.reduce((m, x) => Math.max(m, Math.abs(x)), 1));
  const terms = Math.max(1, ...inputs.map(({ data }) => data.length));
  const scale = want.data.reduce(
    (m, x) => Math.max(m, Math.abs(x)),
    terms * largest.reduce((a, b) => a * b, 1),
  );
  const errors = [...toNumbers(got)].map((x, i) => Math.abs(x - (want.data[i] ?? NaN)) / (scale * 2 ** -20));
  return Math.max(0, ...errors);
}

describe.skipIf(driver.reason !== undefined)("on WebGPU", () => {
  describe.each(registered.map((op) => [op.name, op] as const))("%s", (_, op) => {
    op.examples.forEach((example, index) => {
      it(`example ${index}: the value and the derivatives' graphs equal the float64 interpreter`, async () => {
        const drawn = draw(example.inputs, batch);
        const y = apply(op, drawn.nodes, example.attributes);
        const floats = drawn.nodes.filter((node) => node.dtype === "float32");
        const gradients = op.derivative === null ? [] : gradient(ops.sum(ops.mul(y, y)), floats);
        const nodes = { y, ...Object.fromEntries(gradients.map((g, i) => [`g${i}`, g])) };
        // WebGPU has no whole numbers of 64 bits: what reads them runs on the processor.
        if (!drawn.nodes.some(({ dtype }) => dtype === "int64"))
          await checkPlacement(engine, op.name, Object.values(nodes));
        const results = await run(nodes, drawn);
        for (const [name, node] of Object.entries(nodes))
          expect(errorOf(results[name], node, drawn), name).toBeLessThanOrEqual(
            (name === "y" ? 1 : 8) * (loose.has(op.name) ? 2 ** 9 : 1),
          );
      });
    });
  });
});
