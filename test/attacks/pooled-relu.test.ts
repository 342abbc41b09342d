// ReLU after max-pooling instead of before it: the same values and derivatives, of ties and of zeros too.
import { afterAll, describe, expect, it } from "vitest";
import { reluAfterPooling } from "../../src/attacks/pooled-relu.js";
import { gradient } from "../../src/autodiff/gradient.js";
import { randomStream } from "../../src/base/random.js";
import { B, count, resolveShape } from "../../src/base/shape.js";
import { floats } from "../../src/base/tensor.js";
import { graphFunction, topological } from "../../src/graph/function.js";
import { interpret } from "../../src/graph/interpret.js";
import { input, type Node } from "../../src/graph/node.js";
import { simplify } from "../../src/graph/simplify.js";
import { add, mul } from "../../src/ops/arithmetic.js";
import { maxPool, type MaxPoolOptions } from "../../src/ops/max-pool.js";
import { relu } from "../../src/ops/piecewise.js";
import { localEngine } from "../../src/runtime/engine.js";
import { loadFunction } from "../../src/runtime/load.js";

const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

const batch = 3;
const z = input("z", [B, 2, 6, 6]);
const size = count(resolveShape(z.shape, batch));
/** Whole numbers from −3 to 1: many windows have equal maxima, above 0 and below. */
const points = new Float32Array(size);
randomStream(1, "pooled").uniform(points, { sample: 0 }, [-3.5, 1.5]);
points.forEach((v, i) => (points[i] = Math.round(v)));

const windows: [string, MaxPoolOptions][] = [
  ["tiles", { kernel: [2, 2], strides: [2, 2] }],
  ["overlapping, padded", { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }],
  ["dilated, padded on one side", { kernel: [2, 2], dilations: [2, 3], pads: [1, 0, 0, 1] }],
];

const opsOf = (node: Node): string[] =>
  topological([node]).flatMap((each) => (each.kind === "op" ? [each.op.name] : []));

/** The pooled values squared, so that a second derivative is there, and the derivatives along a fixed direction. */
function derivativesOf(y: Node): Record<string, Node> {
  const [first = y] = gradient(mul(y, y), [z], { cotangent: y });
  const [second = y] = gradient(mul(first, z), [z], { cotangent: z });
  return { y, first, second };
}

describe.each(windows)("windows that are %s", (_, options) => {
  const plain = maxPool(relu(z), options);
  const moved = reluAfterPooling(plain);

  it("are pooled first", () => {
    expect(opsOf(plain)).toEqual(["relu", "maxPool"]);
    expect(opsOf(moved)).toEqual(["maxPool", "relu"]);
  });

  it("have the same values and derivatives", async () => {
    const [want, got] = [derivativesOf(plain), derivativesOf(moved)];
    const values = { z: { shape: resolveShape(z.shape, batch), data: Float64Array.from(points) } };
    const expected = interpret(Object.values(want), { batch, values }).map(({ data }) => data);
    // Zeros have signs, which differ.
    const unsigned = (data: ArrayLike<number>) => Array.from(data, (v) => v + 0);
    interpret(Object.values(got), { batch, values }).forEach(({ data }, i) => {
      expect(unsigned(data)).toEqual(unsigned(expected[i] ?? []));
    });
    for (const data of expected) expect(data.some((v) => v !== 0)).toBe(true);
    const program = await loadFunction(engine, simplify(graphFunction("pooled", [z], got)));
    const results = await program.run({ z: floats([batch, 2, 6, 6], points.slice()) });
    Object.keys(got).forEach((name, i) => {
      expect(unsigned(results[name]?.data as Float32Array)).toEqual(unsigned(expected[i] ?? []));
    });
    await program.release();
  });
});

describe("a ReLU", () => {
  it("that others read too stays where it is", () => {
    const positive = relu(z);
    const both = add(maxPool(positive, { kernel: [1, 1] }), positive);
    expect(reluAfterPooling(both)).toBe(both);
  });

  it("keeps its name, as the pooling does", () => {
    const named = (node: Node, scope: string): Node => (node.kind === "op" ? { ...node, scope } : node);
    const pooled = named(maxPool(named(relu(z), "relu1"), { kernel: [2, 2] }), "maxpool1");
    const moved = reluAfterPooling(pooled);
    expect(topological([moved]).flatMap((each) => (each.kind === "op" ? [each.scope] : []))).toEqual([
      "maxpool1",
      "relu1",
    ]);
  });
});
