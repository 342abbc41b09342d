// Graphs into an engine: checked against its provider, lowered for it, loops in the form that stays on its device.
import type { Tensor } from "../base/tensor.js";
import type { GraphFunction } from "../graph/function.js";
import type { InputNode } from "../graph/node.js";
import { exportFunction, exportLoop, iterationOf, nextName, type LoopFunction } from "../onnx/export.js";
import type { Engine, LoadOptions, Program } from "./engine.js";
import { iterate } from "./iterate.js";
import { checkPlacement } from "./placement.js";

export interface GraphOptions {
  /** Inputs that become constants. */
  readonly weights?: Readonly<Record<string, Tensor>>;
}

/** `program` with what the engine feeds to it by itself. */
function supplied(
  program: Program,
  { supply }: Engine,
  { fixed, scanned }: Parameters<NonNullable<Engine["supply"]>["feeds"]>[0],
): Program {
  if (supply === undefined) return program;
  const own = (inputs: readonly InputNode[]) => inputs.filter(({ name }) => supply.answers(name));
  const inputs = { fixed: own(fixed), scanned: own(scanned) };
  return {
    hold: (values) => program.hold(values),
    read: (names) => program.read(names),
    run: (feeds) => program.run(feeds),
    measured: () => program.measured(),
    release: () => program.release(),
    supplied: (rows, iterations) => supply.feeds(inputs, rows, iterations),
  };
}

/** `fn` in the engine. Throws where its provider has no operator for a node. */
export async function loadFunction(
  engine: Engine,
  fn: GraphFunction,
  options: GraphOptions = {},
): Promise<Program> {
  await checkPlacement(engine, fn.name, Object.values(fn.outputs));
  const program = await engine.load(exportFunction(fn, { ...options, target: await engine.target() }));
  return supplied(program, engine, { fixed: fn.inputs, scanned: [] });
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
  const inputs = { fixed: loop.invariant, scanned: loop.scanned };
  if (target.loops) {
    const program = await engine.load(exportLoop(loop, { ...options, target }), { carry });
    return supplied(program, engine, inputs);
  }
  const kept = Object.fromEntries(loop.carried.map(({ input: { name } }) => [nextName(name), name]));
  const step = await engine.load(exportFunction(body, { ...options, target }), { carry: kept });
  return supplied(iterate(step, loop, carry), engine, inputs);
}
