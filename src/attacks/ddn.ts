// DDN, decoupled direction and norm (Rony et al. 2019, algorithm 1).
import { z } from "zod";
import { quantity, unit } from "../base/options.js";
import { B } from "../base/shape.js";
import { floats, tensor } from "../base/tensor.js";
import { input, type Node } from "../graph/node.js";
import type { LoopFunction } from "../onnx/export.js";
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { where } from "../ops/compare.js";
import { maximum, minimum } from "../ops/extremum.js";
import { smallest } from "../threat/rows.js";
import { intoBox, type Bounds } from "../threat/threat.js";
import { floatsOf, labelsOf, type AttackTarget } from "./attack.js";
import { simplifiedLoop } from "./loop.js";
import { attackLosses } from "./losses.js";
import { nearestAttack, type NearestRun } from "./nearest-attack.js";
import { asColumn, columnInput, columnOf, keepNearest, Nearest } from "./nearest.js";
import { ascent, counted } from "./passes.js";
import { range, runRows } from "./rows.js";
import { aim, ascentAt, attackInputs, fallen } from "./white-box.js";

const schema = z.strictObject({
  steps: z.int().min(1).default(100).describe("iterations"),
  startRadius: quantity(0).default(1).describe("radius of the first sphere, in input units"),
  gamma: quantity(0, 1).default(0.05).describe("part by which the radius changes in each step"),
});
type Options = z.output<typeof schema>;

/** Iterations a run of the engine: between two runs rows leave that are within a finite ε. */
const iterationsPerRun = 10;
/** Steps fall from 1 to this, along half a cosine. */
const lastRate = 0.01;

/** Length of step `k` of `steps`, in input units. */
const rateAt = (k: number, steps: number): number =>
  lastRate + ((1 - lastRate) * (1 + Math.cos((Math.PI * k) / steps))) / 2;

/** The farthest that a point of the box can be from each of `x`: [n, 1, …]. */
function farthest({ threat }: AttackTarget, x: Node, [low, high]: Bounds): Node {
  return threat.norm(maximum(sub(x, low), sub(high, x)));
}

/**
 * δ ← δ + α·g/‖g‖, put on the sphere of the radius, which shrinks by γ where x₀ + δ was adversarial and else grows;
 * then the box. States: `start` (x₀ + δ), `radius`, `nearest`, `distance`; slices: `rate` (α).
 */
function ddnLoop(target: AttackTarget, { gamma }: Options): LoopFunction {
  const { classifier, threat } = target;
  const { model, bounds } = classifier;
  const inputs = attackInputs(model);
  const { input: x0, labels, weights } = inputs;
  const x = input("start", [B, ...model.inputShape]);
  const radius = columnInput(model, "radius");
  const rate = input("rate", []);
  const direction = input("direction", []);
  const loss = attackLosses["cross-entropy"];
  const { logits, gradient } = ascentAt(classifier, x, inputs, { loss, direction });
  const down = fallen(logits, labels, direction);
  const scaled = mul(radius, where(asColumn(model, down), 1 - gamma, 1 + gamma));
  const limited = bounds.every(Number.isFinite) ? minimum(scaled, farthest(target, x0, bounds)) : scaled;
  const step = threat.steepest(gradient, { from: x, length: rate, bounds });
  const delta = add(sub(x, x0), step);
  const onSphere = mul(delta, div(limited, maximum(threat.norm(delta), smallest)));
  return simplifiedLoop({
    name: "ddn",
    carried: [
      { input: x, next: intoBox(add(x0, onSphere), bounds) },
      { input: radius, next: limited },
      ...keepNearest(target, { point: x, from: x0, down }),
    ],
    scanned: [rate],
    invariant: [x0, labels, direction, ...weights.values()],
    outputs: {},
  });
}

async function search(
  { batch, context, loop, outlook }: NearestRun,
  { steps, startRadius }: Options,
): Promise<Float32Array> {
  const { inputs, labels, targeted } = batch;
  const nearest = new Nearest(batch);
  const feeds = {
    states: {
      start: tensor("float32", inputs.shape, floatsOf(inputs).slice()),
      radius: columnOf(batch, new Float32Array(labels.length).fill(startRadius)),
      ...nearest.states,
    },
    perRow: { input: inputs, labels: labelsOf(batch) },
    scalars: { direction: aim(targeted) },
    passes: counted(batch, ascent),
  };
  let { rows } = outlook;
  for (let done = 0; done < steps && rows.length > 0; done += iterationsPerRun) {
    context.signal?.throwIfAborted();
    const iterations = Math.min(iterationsPerRun, steps - done);
    const rates = floats(
      [iterations],
      range(iterations).map((k) => rateAt(done + k, steps)),
    );
    await runRows(loop, rows, { ...feeds, scanned: { rate: rates }, iterations });
    rows = nearest.standing(rows);
  }
  return nearest.points;
}

/** Steps along the gradient on spheres that close in on the boundary. */
export const ddn = unit("ddn", "decoupled direction and norm: spheres that close in", schema, (options) =>
  nearestAttack({
    name: "ddn",
    options,
    norms: ["l2"],
    loop: (target) => ddnLoop(target, options),
    search: (run) => search(run, options),
  }),
);
