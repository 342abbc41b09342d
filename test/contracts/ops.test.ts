// The op contract: every operation the vocabulary exports is held to it by existing.
import { afterAll, describe, expect, it } from "vitest";
import { checkDerivatives } from "../../src/autodiff/check.js";
import { gradient } from "../../src/autodiff/gradient.js";
import { vectorize } from "../../src/autodiff/vectorize.js";
import { TemperError } from "../../src/base/errors.js";
import { resolveShape, sizeOf, resolveDim, type Shape } from "../../src/base/shape.js";
import { toNumbers } from "../../src/base/tensor.js";
import { graphFunction, topological } from "../../src/graph/function.js";
import { interpret } from "../../src/graph/interpret.js";
import { apply, input, type Node } from "../../src/graph/node.js";
import { anyRuntime, type Array64, type Op, type Target } from "../../src/graph/op.js";
import { simplify } from "../../src/graph/simplify.js";
import { exportFunction } from "../../src/onnx/export.js";
import * as ops from "../../src/ops/index.js";
import { localEngine } from "../../src/runtime/engine.js";
import { draw, type Drawn } from "../support/samples.js";

const batch = 3;
const engine = localEngine({ threads: 1 });
const registered: Op[] = Object.values(ops).flatMap((value) => ("op" in value ? [value.op] : []));
const names = new Set(registered.map((op) => op.name));
afterAll(() => engine.close());

/** A batch-dependent example needs some input to read the batch from. */
const batchInput = input("batchSource", [{ batch: 1, plus: 0 }]);

async function runOnnx(
  output: Node,
  { nodes, tensors }: Drawn,
  target: Target = anyRuntime,
): Promise<Float64Array> {
  const fn = graphFunction("example", [...nodes, batchInput], { y: output, batchCopy: batchInput });
  const program = await engine.load(exportFunction(fn, { target }));
  const source = { dtype: "float32", shape: [batch], data: new Float32Array(batch) } as const;
  const result = await program.run({ ...tensors, batchSource: source });
  await program.release();
  const y = result["y"];
  if (y === undefined) throw new Error("no output");
  expect(y.shape).toEqual(resolveShape(output.shape, batch));
  return toNumbers(y);
}

/** Reference values and the size against which rounding is measured: the sum of absolute terms. */
function reference(output: Node, drawn: Drawn): { values: Float64Array; scale: number } {
  const [result] = interpret([output], { batch, values: drawn.arrays });
  const values = result?.data ?? new Float64Array();
  const inputs = Object.values(drawn.arrays).map((a: Array64) =>
    a.data.reduce((m, x) => Math.max(m, Math.abs(x)), 1),
  );
  const largest = inputs.reduce((a, b) => a * b, 1);
  const terms = Math.max(...Object.values(drawn.arrays).map((a) => a.data.length), 1);
  return {
    values,
    scale: Math.max(
      largest * terms,
      values.reduce((m, x) => Math.max(m, Math.abs(x)), 0),
    ),
  };
}

function expectClose(actual: Float64Array, expected: Float64Array, scale: number): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((x, i) => expect(Math.abs(x - (expected[i] ?? NaN))).toBeLessThanOrEqual(scale * 2 ** -20));
}

describe.each(registered.map((op) => [op.name, op] as const))("%s", (_, op) => {
  op.examples.forEach((example, index) => {
    const drawn = draw(example.inputs, batch);
    const output = apply(op, drawn.nodes, example.attributes);
    const floats = drawn.nodes.filter((node) => node.dtype === "float32");

    it(`example ${index}: ONNX Runtime equals the float64 interpreter, shape rule included`, async () => {
      const { values, scale } = reference(output, drawn);
      expect(values.length).toBe(resolveDim(sizeOf(output.shape), batch));
      for (const target of [anyRuntime, await engine.target(), { ...anyRuntime, narrow: true }])
        expectClose(await runOnnx(output, drawn, target), values, scale);
    });

    if (op.derivative === null)
      it(`example ${index}: nothing flows through it`, () => {
        if (output.dtype !== "float32") return expect(output.dtype).not.toBe("float32");
        for (const g of gradient(ops.sum(output), floats))
          expect(interpret([g], { batch, values: drawn.arrays })[0]?.data.every((x) => x === 0)).toBe(true);
      });
    else {
      it(`example ${index}: derivatives equal finite differences, first and second order`, () => {
        for (const { error } of checkDerivatives(output, floats, { batch, values: drawn.arrays }))
          expect(error).toBeLessThan(1e-5);
      });
      it(`example ${index}: the derivative's graph holds registered operations only and runs in ONNX Runtime`, async () => {
        const squares = ops.sum(ops.mul(output, output));
        for (const g of gradient(squares, floats)) {
          for (const node of topological([g])) if (node.kind === "op") expect(names).toContain(node.op.name);
          const { values, scale } = reference(g, drawn);
          expectClose(await runOnnx(g, drawn), values, scale * 8);
        }
      });
    }

    it(`example ${index}: vectorized rows equal single rows`, () => {
      drawn.nodes.forEach((source, k) => {
        const rows = 2;
        const stackedShape: Shape = [rows, ...source.shape];
        const stacked = input("stacked", stackedShape, source.dtype);
        const value = drawn.arrays[source.name];
        if (value === undefined) throw new Error("no value");
        const reversed = Float64Array.from(value.data).reverse();
        const other =
          source.dtype === "float32" && !example.inputs[k]?.distinct
            ? value.data.map((x) => x * 0.98)
            : reversed;
        const both = { shape: [rows, ...value.shape], data: Float64Array.from([...value.data, ...other]) };
        const rowsNode = vectorize(output, source, stacked);
        const [got] = interpret([rowsNode], { batch, values: { ...drawn.arrays, stacked: both } });
        const want = [value.data, other].flatMap((data) => {
          const values = { ...drawn.arrays, [source.name]: { shape: value.shape, data } };
          return [...(interpret([output], { batch, values })[0]?.data ?? [])];
        });
        expect(got?.shape).toEqual([rows, ...resolveShape(output.shape, batch)]);
        want.forEach((x, i) => expect(got?.data[i]).toBeCloseTo(x, 10));
      });
    });

    it(`example ${index}: simplification keeps the value`, () => {
      const fn = simplify(
        graphFunction("f", drawn.nodes, { y: ops.add(ops.mul(ops.cast(output, "float32"), 1), 0) }),
      );
      const simplified = interpret(Object.values(fn.outputs), { batch, values: drawn.arrays })[0]?.data ?? [];
      const plain = interpret([ops.cast(output, "float32")], { batch, values: drawn.arrays })[0]?.data ?? [];
      // Expansions may sum in another order.
      const apart = [...simplified].map((x, i) => Math.abs(x - (plain[i] ?? NaN)) / (1 + Math.abs(x)));
      expect(simplified.length).toBe(plain.length);
      expect(Math.max(0, ...apart)).toBeLessThan(1e-13);
    });
  });

  it("bad arguments raise their exact message", () => {
    for (const { inputs, attributes, message } of op.rejects)
      expect(() => apply(op, draw(inputs, batch).nodes, attributes)).toThrow(new TemperError(message));
    expect(op.examples.length).toBeGreaterThan(0);
  });
});
