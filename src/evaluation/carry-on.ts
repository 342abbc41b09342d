// Whether an attack had come to its end: points that withstood it, moved on for some more steps.
import type { AttackBatch, AttackTarget } from "../attacks/attack.js";
import { withDraws } from "../attacks/draws.js";
import { attackLosses } from "../attacks/losses.js";
import { leaves, pgdLoop } from "../attacks/pgd-graph.js";
import { ascend } from "../attacks/pgd-run.js";
import { takeRows } from "../attacks/rows.js";
import { count } from "../base/shape.js";
import { input } from "../graph/node.js";
import type { Engine, Program } from "../runtime/engine.js";
import { loadLoop } from "../runtime/load.js";
import type { Predictor } from "./predictor.js";

/** Only images before this one are looked at. */
const images = 100;
const steps = 10;
/** In units of ε. */
const stepSize = 0.05;

/** The loop that carries on, and the engine it is in. */
export interface CarryOn {
  readonly loop: Program;
  readonly engine: Engine;
  /** Whether points leave when they fall. */
  readonly rest: boolean;
}

/** Loads the loop. */
export async function openCarryOn(engine: Engine, target: AttackTarget): Promise<CarryOn> {
  const graph = pgdLoop(target, {
    loss: attackLosses["cross-entropy"],
    momentum: 0,
    rest: true,
    direction: input("direction", []),
  });
  const { model, weights } = target.classifier;
  return { loop: await loadLoop(engine, graph, { weights }), engine, rest: leaves(model, true) };
}

export interface CarriedOn {
  readonly checked: number;
  readonly fallen: number;
}

/** Moves those of `points` on that are still `right`, which maps rows to true classes; counts how many fall. */
export async function carryOn(
  { loop, engine, rest }: CarryOn,
  predictor: Predictor,
  batch: AttackBatch,
  { points, right }: { readonly points: Float32Array; readonly right: ReadonlyMap<number, number> },
): Promise<CarriedOn> {
  const { inputs, indices, epsilon } = batch;
  const rows = [...right.keys()].filter((row) => (indices[row] ?? images) < images);
  if (rows.length === 0 || epsilon === 0) return { checked: 0, fallen: 0 };
  const walk = { batch, steps, stepSize: stepSize * epsilon, momentum: 0, rest };
  const reached = await withDraws(engine, batch, () => ascend(loop, walk, points.slice(), rows));
  const width = count(inputs.shape.slice(1));
  const { classes } = await predictor.predict(
    takeRows(reached, width, rows),
    rows.map((row) => indices[row] ?? 0),
  );
  return { checked: rows.length, fallen: rows.filter((row, i) => classes[i] !== right.get(row)).length };
}
