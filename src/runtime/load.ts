// Graphs into an engine: checked against its provider, lowered for it, loops in the form that stays on its device.
import type { Tensor } from "../base/tensor.js";
import type { GraphFunction } from "../graph/function.js";
import { exportFunction, exportLoop, iterationOf, nextName, type LoopFunction } from "../onnx/export.js";
import type { Engine, LoadOptions, Program } from "./engine.js";
import { iterate } from "./iterate.js";
import { checkPlacement } from "./placement.js";

export interface GraphOptions {
  /** Inputs that become constants. */
  readonly weights?: Readonly<Record<string, Tensor>>;
}

/** `fn` in the engine. Throws where its provider has no operator for a node. */
export async function loadFunction(
  engine: Engine,
  fn: GraphFunction,
  options: GraphOptions = {},
): Promise<Program> {
  await checkPlacement(engine, fn.name, Object.values(fn.outputs));
  return engine.load(exportFunction(fn, { ...options, target: await engine.target() }));
}

/** `loop` in the engine, with the feeds and results of `exportLoop`; states in `carry` stay there between runs. */
export async function loadLoop(
  engine: Engine,
  loop: LoopFunction,
  { carry = {}, ...options }: GraphOptions & LoadOptions = {},
): Promise<Program> {
  const target = await engine.target();
  const body = iterationOf(loop);
  await checkPlacement(engine, loop.name, Object.values(body.outputs));
  if (target.loops) return engine.load(exportLoop(loop, { ...options, target }), { carry });
  const kept = Object.fromEntries(loop.carried.map(({ input: { name } }) => [nextName(name), name]));
  const step = await engine.load(exportFunction(body, { ...options, target }), { carry: kept });
  return iterate(step, loop, carry);
}
