// Square attack (Andriushchenko, Croce, Flammarion & Hein 2020): random search over windows, without gradients.
import { z } from "zod";
import { quantity, unit } from "../base/options.js";
import { tensor } from "../base/tensor.js";
import type { Program } from "../runtime/engine.js";
import { loadLoop } from "../runtime/load.js";
import {
  checkTarget,
  floatsOf,
  guarded,
  labelsOf,
  type Attack,
  type AttackBatch,
  type AttackContext,
} from "./attack.js";
import { attackLosses, attackLossNames, type AttackLossName } from "./losses.js";
import { query } from "./passes.js";
import { putRows, range, runRows } from "./rows.js";
import { RunLength } from "./run-length.js";
import { squareLoop } from "./square-graph.js";
import { intervals, scannedPerQuery, squareProposals, squareStart, type Search } from "./square-proposals.js";
import { gridOf, windowShare, windowSides } from "./square-windows.js";
import { aim } from "./white-box.js";

const schema = z.strictObject({
  queries: z
    .int()
    .min(1)
    .default(5000)
    .describe("changes tried on each input; the start costs one query more"),
  initialShare: quantity(0, 1).default(0.8).describe("share of the pixels that the first windows cover"),
  rescaleSchedule: z
    .boolean()
    .default(true)
    .describe("shrink windows over the queries there are, not over 10,000"),
  loss: z
    .enum(attackLossNames)
    .optional()
    .describe("what has to grow; default: margin, or cross-entropy where a class is to be reached"),
});
type SquareOptions = z.output<typeof schema>;

/**
 * The smallest window's side, by norm. In L2 the pattern's two pyramids want three pixels; corners of the L1 ball are
 * single pixels, so a window may end as one.
 */
const leastSides: Readonly<Record<string, number>> = { linf: 1, l2: 3, l1: 1 };

/** The windows' sides in each query; the first tries the start itself. */
function sidesOf({ grid, threat }: Search, options: SquareOptions): readonly (readonly number[])[] {
  const { queries, initialShare: start, rescaleSchedule: rescaled } = options;
  const smallest = { least: leastSides[threat.name] ?? 1, odd: threat.name !== "linf" };
  const changes = range(queries).map((query) =>
    windowSides(grid, windowShare(query, { start, queries, rescaled }), smallest),
  );
  return [[], ...changes];
}

/** The starting points of all rows. */
function startsOf({ inputs, indices, labels }: AttackBatch, search: Search): Float32Array {
  const originals = floatsOf(inputs);
  const width = originals.length / labels.length;
  const starts = new Float32Array(originals.length);
  for (let row = 0; row < labels.length; row++) {
    const original = originals.subarray(row * width, (row + 1) * width);
    putRows(starts, width, [row], squareStart(original, indices[row] ?? 0, search));
  }
  return starts;
}

/** All queries on the rows that still stand. */
async function perturb(
  batch: AttackBatch,
  { classifier, threat, signal }: AttackContext,
  loop: Program,
  options: SquareOptions,
): Promise<Float32Array> {
  const { labels, indices, epsilon, seed, targeted } = batch;
  const grid = gridOf(classifier.model.inputShape);
  const search: Search = { grid, threat, epsilon, seed, bounds: classifier.bounds };
  const n = labels.length;
  const points = (data: Float32Array) => tensor("float32", [n, grid.channels, ...grid.spatial], data);
  const originals = floatsOf(batch.inputs);
  const best = startsOf(batch, search);
  const inCorners = threat.name === "linf";
  // In L∞ the loop counts the changes asked for; the start is no change.
  const [resting, queries] = [new Float32Array(n), new Float32Array(n).fill(inCorners ? 1 : 0)];
  const states = {
    best: points(best),
    loss: tensor("float32", [n], new Float32Array(n).fill(-Infinity)),
    resting: tensor("float32", [n], resting),
    queries: tensor("float32", [n], queries),
  };
  const { low, high } = intervals(originals, search);
  const own = inCorners ? { low: points(low), high: points(high) } : { input: points(originals) };
  const perRow = { ...own, labels: labelsOf(batch) };
  const scalars = { direction: aim(targeted), ...(!inCorners && { epsilon }) };
  const corners = inCorners ? { best, low, high } : null;
  const length = new RunLength(n * scannedPerQuery(search));
  const sides = sidesOf(search, options);
  const next = new Int32Array(n);
  let rows = range(n);
  while (rows.length > 0) {
    signal?.throwIfAborted();
    const taken = rows.length === 1 ? [...rows, ...rows] : rows;
    const pending = taken.map((row) => ({ row, sample: indices[row] ?? 0, query: next[row] ?? 0 }));
    const left = sides.length - Math.min(...pending.map((each) => each.query));
    await length.run(left, async (most) => {
      const proposals = squareProposals(search, pending, sides, { most, corners });
      const { scanned, iterations } = proposals;
      rows.forEach((row, i) => (next[row] = proposals.next[i] ?? sides.length));
      if (iterations > 0) await runRows(loop, rows, { states, perRow, scalars, scanned, iterations });
    });
    rows = rows.filter((row) => resting[row] === 0 && (next[row] ?? 0) < sides.length);
  }
  batch.passes?.add(range(n), query, queries);
  return best;
}

/** One program for each loss, made when first asked for: labels to leave and to reach may want different ones. */
function programs(context: AttackContext) {
  const made = new Map<AttackLossName, Promise<Program>>();
  const load = (loss: AttackLossName): Promise<Program> =>
    loadLoop(context.engine, squareLoop(context, attackLosses[loss]), {
      weights: context.classifier.weights,
    });
  return {
    get(loss: AttackLossName): Promise<Program> {
      const program = made.get(loss) ?? load(loss);
      made.set(loss, program);
      return program;
    },
    release: async () => {
      for (const program of made.values()) await (await program).release();
    },
  };
}

/**
 * Windows of the input are changed at random, each change kept where the loss grows; L∞, L2 and L1. Inputs [d] count
 * as one line of d numbers, others as channels of what follows.
 */
export const square = unit("square", "random search over windows (black box)", schema, (options) => {
  const { loss, ...shown } = options;
  const attack: Attack = {
    name: "square",
    kind: "black-box",
    options: { ...shown, ...(loss !== undefined && { loss }) },
    norms: ["linf", "l2", "l1"],
    async prepare(context) {
      checkTarget(attack, context);
      const loops = programs(context);
      await loops.get(loss ?? "margin");
      return {
        perturb: guarded(attack, context, async (batch) => {
          const loop = await loops.get(loss ?? (batch.targeted ? "cross-entropy" : "margin"));
          return perturb(batch, context, loop, options);
        }),
        release: () => loops.release(),
      };
    },
  };
  return attack;
});
