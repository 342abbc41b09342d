// A foreign file against what was imported from it: ONNX Runtime runs the one, the interpreter the other.
import { expect } from "vitest";
import { randomStream } from "../../src/base/random.js";
import { B, count, type Shape } from "../../src/base/shape.js";
import { floats, toNumbers, type Tensor } from "../../src/base/tensor.js";
import { interpret, toArray64 } from "../../src/graph/interpret.js";
import { input, type Node } from "../../src/graph/node.js";
import { buildGraph, importGraph, outputNode } from "../../src/onnx/import.js";
import { localEngine } from "../../src/runtime/engine.js";

/** Numbers uniform in [−2, 2). */
export function drawn(shape: readonly number[], name = "x"): Tensor {
  const values = new Float32Array(count(shape));
  randomStream(5, name).uniform(values, { sample: 0 }, [-2, 2]);
  return floats(shape, values);
}

/** Output of the file itself on `x`. */
export async function runFile(file: Uint8Array, feeds: Readonly<Record<string, Tensor>>): Promise<Tensor> {
  const engine = localEngine({ threads: 1 });
  const program = await engine.load(file);
  const [result] = Object.values(await program.run(feeds));
  await program.release();
  if (result === undefined) throw new Error("no output");
  return result;
}

export function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5): void {
  const [a, b] = [Array.from(actual), Array.from(expected)];
  expect(a.length).toBe(b.length);
  const scale = Math.max(1, ...b.map(Math.abs));
  a.forEach((x, i) => expect(Math.abs(x - (b[i] ?? NaN))).toBeLessThanOrEqual(scale * tolerance));
}

/** Imports `file` over a symbolic batch and compares with ONNX Runtime at `batch`; returns what was built. */
export async function expectSameAsRuntime(file: Uint8Array, batch = 3): Promise<Node> {
  const graph = importGraph(file);
  const shape: Shape = [B, ...graph.input.shape];
  const x = input("x", shape);
  const y = outputNode(buildGraph(graph, x), graph.output);
  const rows = graph.input.batch ?? batch;
  const value = drawn([rows, ...graph.input.shape]);
  const want = await runFile(file, { [graph.input.name]: value });
  const [got] = interpret([y], { batch: rows, values: { x: toArray64(value) } });
  expect(got?.shape).toEqual(want.shape);
  expectNear(got?.data ?? [], toNumbers(want));
  return y;
}
