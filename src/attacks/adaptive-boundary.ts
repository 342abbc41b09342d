// FAB under any name (Croce & Hein 2020): which classes it compares, and the host's side of its runs.
import { z } from "zod";
import { quantity } from "../base/options.js";
import { randomStream } from "../base/random.js";
import { tensor, type Tensor } from "../base/tensor.js";
import {
  floatsOf,
  labelsOf,
  type Attack,
  type AttackBatch,
  type AttackContext,
  type AttackOptions,
} from "./attack.js";
import { fabLoop } from "./fab-graph.js";
import { nearestAttack, type NearestRun } from "./nearest-attack.js";
import { Nearest, type Outlook } from "./nearest.js";
import { counted } from "./passes.js";
import { runRows } from "./rows.js";
import { aim } from "./white-box.js";

export const adaptiveBoundarySchema = z.strictObject({
  steps: z.int().min(1).default(100).describe("iterations of each run"),
  restarts: z
    .int()
    .min(1)
    .default(1)
    .describe("runs for each choice of classes; all but the first start at random"),
  alphaMax: quantity(0, 1).default(0.1).describe("largest weight of the way from the original"),
  eta: quantity(1).default(1.05).describe("how far to step beyond the boundary: 1 is onto it"),
  beta: quantity(0, 1)
    .default(0.9)
    .describe("how much of the way an adversarial point keeps on its way back"),
});
export type AdaptiveBoundaryOptions = z.output<typeof adaptiveBoundarySchema>;

/** Iterations a run of the engine; between two runs rows leave that are within a finite ε. */
const iterationsPerRun = 10;

/** The farthest corner of the box as seen from each original; without a box one unit. */
function reach(inputs: Float32Array, { threat, classifier }: AttackContext, width: number): Float64Array {
  const [low, high] = classifier.bounds;
  if (!Number.isFinite(high - low)) return new Float64Array(inputs.length / width).fill(1);
  return threat.distance(
    inputs.map((v) => Math.max(v - low, high - v)),
    width,
  );
}

/** Points at random within half of min(ε, distance found) of the originals, in the box; keyed by sample and run. */
function randomStarts(
  { inputs, indices, epsilon, seed, labels }: AttackBatch,
  context: AttackContext,
  { distances }: Nearest,
  round: number,
): Float32Array {
  const originals = floatsOf(inputs);
  const width = originals.length / labels.length;
  const farthest = reach(originals, context, width);
  const { bounds } = context.classifier;
  const [low, high] = bounds;
  const stream = randomStream(seed, "fab-start");
  const shift = new Float32Array(width);
  const starts = originals.slice();
  farthest.forEach((limit, row) => {
    const radius = Math.min(limit, epsilon, distances[row] ?? Infinity) / 2;
    const center = originals.subarray(row * width, (row + 1) * width);
    const start = { center, epsilon: radius, bounds };
    context.threat.randomStart(stream, { sample: indices[row] ?? 0, round }, start, shift);
    shift.forEach((by, i) => {
      const at = row * width + i;
      starts[at] = Math.min(Math.max((starts[at] ?? 0) + by, low), high);
    });
  });
  return starts;
}

/** The candidates of each round of runs, [n, m] each. */
type Rounds = (outlook: Outlook, batch: AttackBatch) => readonly Tensor[];

async function search(
  { batch, context, loop, outlook }: NearestRun,
  { steps, restarts }: AdaptiveBoundaryOptions,
  rounds: Rounds,
): Promise<Float32Array> {
  const { inputs, targeted } = batch;
  const nearest = new Nearest(batch);
  const candidates = rounds(outlook, batch);
  let { rows } = outlook;
  for (let run = 0; run < candidates.length * restarts; run++) {
    const restart = run % restarts;
    const chosen = candidates[Math.floor(run / restarts)];
    const start = restart > 0 ? randomStarts(batch, context, nearest, run) : floatsOf(inputs).slice();
    const feeds = {
      states: { start: tensor("float32", inputs.shape, start), ...nearest.states },
      perRow: { input: inputs, labels: labelsOf(batch), ...(chosen && { candidates: chosen }) },
      scalars: { direction: aim(targeted) },
      // At the point a gradient for each class compared, and the outputs at the point moved to.
      passes: counted(batch, { forward: 2, gradient: chosen?.shape[1] ?? 0 }),
    };
    for (let done = 0; done < steps && rows.length > 0; done += iterationsPerRun) {
      context.signal?.throwIfAborted();
      await runRows(loop, rows, { ...feeds, iterations: Math.min(iterationsPerRun, steps - done) });
      rows = nearest.standing(rows);
    }
  }
  return nearest.points;
}

export interface AdaptiveBoundary {
  readonly name: string;
  readonly options: AdaptiveBoundaryOptions;
  /** As records show them. */
  readonly shown: AttackOptions;
  /** How many classes a run compares with the label, of a model with so many. */
  readonly candidates: (classes: number) => number;
  readonly rounds: Rounds;
}

/** FAB that compares `candidates` classes at a time, in `rounds`. */
export const adaptiveBoundary = ({ name, options, shown, candidates, rounds }: AdaptiveBoundary): Attack =>
  nearestAttack({
    name,
    options: shown,
    norms: ["linf", "l2", "l1"],
    loop: (target) =>
      fabLoop(target, { ...options, candidates: candidates(target.classifier.model.classes) }),
    search: (run) => search(run, options, rounds),
  });
