// DeepFool (Moosavi-Dezfooli, Fawzi & Frossard 2016, algorithm 2; L∞ by section 3.3).
import { z } from "zod";
import { quantity, unit } from "../base/options.js";
import { B } from "../base/shape.js";
import { tensor } from "../base/tensor.js";
import { input } from "../graph/node.js";
import type { LoopFunction } from "../onnx/export.js";
import { add, mul, sub } from "../ops/arithmetic.js";
import { where } from "../ops/compare.js";
import { asNorm, intoBox, type Bounds } from "../threat/threat.js";
import { floatsOf, labelsOf, type AttackTarget } from "./attack.js";
import { nearestBoundary } from "./boundary.js";
import { simplifiedLoop } from "./loop.js";
import { nearestAttack, type NearestRun } from "./nearest-attack.js";
import { asColumn, rivalsOf } from "./nearest.js";
import { counted } from "./passes.js";
import { outputNamed, putRows, runRows, takeRows } from "./rows.js";
import { aim, attackInputs, fallen } from "./white-box.js";

const schema = z.strictObject({
  steps: z.int().min(1).default(50).describe("most iterations"),
  candidates: z
    .int()
    .min(2)
    .default(10)
    .describe("classes of largest logits to compare, the label among them"),
  overshoot: quantity(0).default(0.02).describe("how far beyond the boundary, in parts of the perturbation"),
});
type Options = z.output<typeof schema>;

/** What each step adds to the distance, in input units, so that it does not end before the boundary. */
const beyond = 1e-4;
const everywhere: Bounds = [-Infinity, Infinity];
/** Iterations a run of the engine: between two runs fallen rows leave. */
const iterationsPerRun = 5;

/**
 * r ← r + the shortest way from x to the nearest linearized boundary; x ← x₀ + (1 + overshoot)·r in the box; points
 * that have fallen rest. States `start` (x) and `total` (r); result `fallen` [steps, n]: before the iteration.
 */
function deepfoolLoop(target: AttackTarget, { overshoot, candidates: count }: Options): LoopFunction {
  const { classifier, threat } = target;
  const inputs = attackInputs(classifier.model);
  const { input: x0, labels, weights } = inputs;
  const [x, total] = ["start", "total"].map((name) => input(name, [B, ...classifier.model.inputShape])) as [
    typeof x0,
    typeof x0,
  ];
  const candidates = input("candidates", [B, Math.min(count, classifier.model.classes) - 1], "int32");
  const direction = input("direction", []);
  const { logits, margin, normal } = nearestBoundary(target, x, inputs, { candidates, direction });
  const ball = asNorm(threat);
  const rise = sub(mul(beyond, ball.dualNorm(normal)), margin);
  const further = add(total, ball.shortest(normal, { from: x, rise, bounds: everywhere }));
  const moved = intoBox(add(x0, mul(1 + overshoot, further)), classifier.bounds);
  const flags = fallen(logits, labels, direction);
  const down = asColumn(classifier.model, flags);
  return simplifiedLoop({
    name: "deepfool",
    carried: [
      { input: x, next: where(down, x, moved) },
      { input: total, next: where(down, total, further) },
    ],
    scanned: [],
    invariant: [x0, labels, candidates, direction, ...weights.values()],
    outputs: { fallen: flags },
  });
}

/** The last points of rows that fell; originals elsewhere. */
async function search(
  { batch, context, loop, outlook }: NearestRun,
  { steps, candidates }: Options,
): Promise<Float32Array> {
  const { inputs, targeted } = batch;
  const rivals = Math.min(candidates - 1, outlook.rivals[0]?.length ?? 0);
  const originals = floatsOf(inputs);
  const points = originals.slice();
  const start = tensor("float32", inputs.shape, points);
  const total = tensor("float32", inputs.shape, new Float32Array(points.length));
  const perRow = { input: inputs, labels: labelsOf(batch), candidates: rivalsOf(outlook, 0, rivals) };
  // One gradient for each class that is compared with the label.
  const passes = counted(batch, { forward: 1, gradient: rivals });
  const feeds = { states: { start, total }, perRow, scalars: { direction: aim(targeted) }, passes };
  let { rows } = outlook;
  // One iteration more than there are steps: it says which of the last points have fallen.
  for (let done = 0; done <= steps && rows.length > 0; done += iterationsPerRun) {
    context.signal?.throwIfAborted();
    const iterations = Math.min(iterationsPerRun, steps + 1 - done);
    const { data, shape } = outputNamed(await runRows(loop, rows, { ...feeds, iterations }), "fallen");
    const flags = data.slice(-(shape[1] ?? 0));
    rows = rows.filter((_, i) => !flags[i]);
  }
  const width = points.length / Math.max(batch.labels.length, 1);
  putRows(points, width, rows, takeRows(originals, width, rows));
  return points;
}

/** Steps to the nearest linearized boundary until the class changes. */
export const deepfool = unit("deepfool", "shortest ways to linearized boundaries", schema, (options) =>
  nearestAttack({
    name: "deepfool",
    options,
    norms: ["linf", "l2"],
    loop: (target) => deepfoolLoop(target, options),
    search: (run) => search(run, options),
  }),
);
