// The engine in this thread and in a worker's: the same values, state that stays on its side, errors in one line.
import { afterAll, describe, expect, it } from "vitest";
import { B } from "../../src/base/shape.js";
import { floats, tensor } from "../../src/base/tensor.js";
import { graphFunction } from "../../src/graph/function.js";
import { input } from "../../src/graph/node.js";
import { exportFunction, exportLoop, nextName } from "../../src/onnx/export.js";
import { add, greater, matmul, mul, sum } from "../../src/ops/index.js";
import { localEngine, type Engine } from "../../src/runtime/engine.js";
import type { workerEngine } from "../../src/runtime/worker-engine.js";

/** The built package has the worker's file beside it; the sources have not. */
const built = (await import(new URL("../../dist/runtime/worker-engine.js", import.meta.url).href)) as {
  workerEngine: typeof workerEngine;
};
const engines: readonly (readonly [string, Engine])[] = [
  ["in this thread", localEngine({ threads: 1 })],
  ["in a worker", built.workerEngine({ threads: 1 })],
];
afterAll(() => Promise.all(engines.map(([, engine]) => engine.close())));

const x = input("x", [B, 2]);
const w = input("w", [2, 2]);
const iterations = (n: number) => tensor("int64", [], BigInt64Array.of(BigInt(n)));

describe.each(engines)("an engine %s", (_, engine) => {
  it("runs any batch size with one program", async () => {
    const program = await engine.load(exportFunction(graphFunction("f", [x, w], { y: matmul(x, w) })));
    for (const n of [1, 2, 5]) {
      const { y } = await program.run({
        x: floats([n, 2], new Float32Array(2 * n).fill(1)),
        w: floats([2, 2], [1, 2, 3, 4]),
      });
      expect(y?.shape).toEqual([n, 2]);
      expect([...(y?.data ?? [])].slice(0, 2)).toEqual([4, 6]);
    }
    await program.release();
  });

  it("keeps state between runs of a loop, stacks results, and stops where it is told to", async () => {
    const step = input("step", [2]);
    const next = add(w, mul(step, 1));
    const loop = exportLoop({
      name: "count",
      carried: [{ input: w, next }],
      scanned: [step],
      invariant: [],
      outputs: { total: sum(next) },
      proceed: greater(30, sum(next)),
    });
    const program = await engine.load(loop, { carry: { [nextName("w")]: "w" } });
    await program.hold({ w: floats([2, 2], [0, 0, 0, 0]) });
    const first = await program.run({ iterations: iterations(2), step: floats([2, 2], [1, 2, 1, 2]) });
    expect([...(first["total"]?.data ?? [])]).toEqual([6, 12]);
    expect(first).not.toHaveProperty(nextName("w"));
    const second = await program.run({
      iterations: iterations(5),
      step: floats([5, 2], new Array<number>(10).fill(3)),
    });
    expect([...(second["total"]?.data ?? [])]).toEqual([24, 36]);
    const held = await program.read(["w"]);
    expect([...(held["w"]?.data ?? [])]).toEqual([8, 10, 8, 10]);
    await program.release();
  });

  it("says in one line what it cannot load or run", async () => {
    await expect(engine.load(new Uint8Array([1, 2, 3]))).rejects.toThrow(
      /^engine: loading a model failed: [^\n]+$/,
    );
    const program = await engine.load(exportFunction(graphFunction("f", [x, w], { y: matmul(x, w) })));
    await expect(
      program.run({ x: floats([1, 3], [1, 2, 3]), w: floats([2, 2], [1, 2, 3, 4]) }),
    ).rejects.toThrow(/^engine: a run failed: [^\n]+$/);
    await program.release();
  });
});
