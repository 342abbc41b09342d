// Times of runs and kernels: what ONNX Runtime's profiler writes, and what an engine measures.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { floats, tensor } from "../../src/base/tensor.js";
import { graphFunction } from "../../src/graph/function.js";
import { input, scope } from "../../src/graph/node.js";
import { exportFunction, exportLoop, nextName } from "../../src/onnx/export.js";
import type { Written } from "../../src/onnx/writer.js";
import { add, matmul, mul } from "../../src/ops/index.js";
import { localEngine, type Engine } from "../../src/runtime/engine.js";
import { readProfile } from "../../src/runtime/profiler.js";
import type { workerEngine } from "../../src/runtime/worker-engine.js";

const event = (cat: string, name: string, dur: number, op_name?: string) => ({
  cat,
  name,
  dur,
  ts: 0,
  ph: "X",
  args: op_name === undefined ? {} : { op_name },
});
const kernel = (name: string, kind: string, dur: number) => event("Node", `${name}_kernel_time`, dur, kind);

describe("a profile", () => {
  it("is summed by kernel and run, without the time of what only holds others", () => {
    const events = [
      event("Session", "session_initialization", 9000),
      kernel("body/train/Gemm_1", "Gemm", 1000),
      kernel("body/train/Gemm_1", "Gemm", 1500),
      kernel("body/Add_2", "Add", 10),
      event("Session", "SequentialExecutor::Execute", 2600),
      kernel("Loop_0", "Loop", 2700),
      event("Session", "model_run", 2800),
      kernel("body/train/Gemm_1", "Gemm", 2000),
      kernel("Loop_0", "Loop", 2100),
      event("Session", "model_run", 2200),
    ];
    expect(readProfile(JSON.stringify(events))).toEqual({
      inside: [2.8, 2.2],
      kernels: [
        { name: "body/train/Gemm_1", kind: "Gemm", calls: 3, milliseconds: [2.5, 2] },
        { name: "body/Add_2", kind: "Add", calls: 1, milliseconds: [0.01, 0] },
      ],
    });
  });

  it.each(["", "[{", '{"traceEvents": []}'])("of another form (%j) is refused", (text) => {
    expect(() => readProfile(text)).toThrow(
      `profile: expected a JSON array of ONNX Runtime's events, got '${text}'`,
    );
  });
});

const left = (): string[] => readdirSync(folder).filter((name) => name.startsWith("temper-profile-"));

// A folder for temporary files of its own: others write profiles too.
const folder = mkdtempSync(join(tmpdir(), "temper-profiler-"));
process.env["TMPDIR"] = folder;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The built package has the worker's file beside it; the sources have not. */
const built = (await import(new URL("../../dist/runtime/worker-engine.js", import.meta.url).href)) as {
  workerEngine: typeof workerEngine;
};
const engines: readonly (readonly [string, Engine])[] = [
  ["in this thread", localEngine({ threads: 1 })],
  ["in a worker", built.workerEngine({ threads: 1 })],
];
afterAll(() => Promise.all(engines.map(([, engine]) => engine.close())));

const x = input("x", [2, 2]);
const w = input("w", [2, 2]);
const next = scope("train", () => add(mul(matmul(x, w), 0.5), 1));
const written: Written[] = [];
const file = exportLoop(
  {
    name: "f",
    carried: [{ input: x, next }],
    scanned: [],
    invariant: [w],
    outputs: {},
  },
  { onWritten: (each) => void written.push(each) },
);
const feeds = () => ({
  iterations: tensor("int64", [], BigInt64Array.of(3n)),
  w: floats([2, 2], [1, 0, 0, 1]),
});

describe.each(engines)("an engine %s", (_, engine) => {
  const load = async (measure?: "runs" | "kernels") => {
    const program = await engine.load(file, {
      carry: { [nextName("x")]: "x" },
      ...(measure && { measure }),
    });
    await program.hold({ x: floats([2, 2], [1, 2, 3, 4]) });
    return program;
  };

  it("measures runs and kernels inside a loop's body under their names, and leaves nothing behind", async () => {
    const program = await load("kernels");
    await program.run(feeds());
    await program.run(feeds());
    const { runs, profile } = await program.measured();
    await program.release();
    expect(runs).toHaveLength(2);
    expect(profile?.inside).toHaveLength(2);
    const gemm = profile?.kernels.find(({ kind }) => kind === "Gemm");
    expect(gemm).toMatchObject({ name: "body/train/Gemm_1", calls: 6 });
    const names = new Set(written.map(({ name }) => name));
    expect(profile?.kernels.filter(({ name }) => !names.has(name))).toEqual([]);
    expect(left()).toEqual([]);
  });

  it("measures runs alone, or nothing, and computes the same", async () => {
    const values = await Promise.all(
      ([undefined, "runs", "kernels"] as const).map(async (measure) => {
        const program = await load(measure);
        await program.run(feeds());
        const { x: state } = await program.read(["x"]);
        const { runs, profile } = await program.measured();
        await program.release();
        return { state, runs: runs.length, profiled: profile !== null };
      }),
    );
    expect(values.map(({ runs }) => runs)).toEqual([0, 1, 1]);
    expect(values.map(({ profiled }) => profiled)).toEqual([false, false, true]);
    for (const { state } of values) expect(state).toEqual(values[0]?.state);
  });

  it("removes an unread profile when it is released", async () => {
    await (await load("kernels")).release();
    expect(left()).toEqual([]);
  });
});

describe("an exported function", () => {
  it("tells of each ONNX node, the graph's node behind it and its scope", () => {
    const nodes: Written[] = [];
    exportFunction(graphFunction("f", [x, w], { y: next }), { onWritten: (each) => void nodes.push(each) });
    expect(nodes.map(({ scope: at, node }) => [at, node?.kind === "op" && node.op.name])).toEqual([
      ["train", "matmul"],
      ["train", "mul"],
      ["train", "add"],
    ]);
  });
});
