// HopSkipJump (Chen, Jordan & Wainwright 2020): the nearest adversarial point, from the classifier's decisions alone.
import { z } from "zod";
import { check } from "../base/errors.js";
import { quantity, unit } from "../base/options.js";
import { randomStream } from "../base/random.js";
import { count } from "../base/shape.js";
import { argMaxRows, tensor, type Tensor } from "../base/tensor.js";
import type { Engine, Program, Tensors } from "../runtime/engine.js";
import { loadFunction, loadLoop } from "../runtime/load.js";
import type { Bounds } from "../threat/threat.js";
import {
  checkTarget,
  floatsOf,
  guarded,
  labelsOf,
  type Attack,
  type AttackBatch,
  type AttackContext,
} from "./attack.js";
import { withDraws } from "./draws.js";
import { boundaryLoop, jumpLoop, logitsFunction, probeLoop } from "./hop-skip-jump-graph.js";
import { counted, query } from "./passes.js";
import { outputNamed, putRows, range, runRows, takeRows } from "./rows.js";
import { RunLength } from "./run-length.js";
import { aim } from "./white-box.js";

const schema = z.strictObject({
  steps: z.int().min(1).default(40).describe("iterations"),
  initialQueries: z
    .int()
    .min(1)
    .default(100)
    .describe("queries for the first gradient; the t-th takes √t as many"),
  maxQueries: z.int().min(1).default(10_000).describe("queries for one gradient at most"),
  gamma: quantity(1e-6)
    .default(1)
    .describe("precision of the boundary and size of the differences, as in the paper"),
});
type HopSkipJumpOptions = z.output<typeof schema>;

interface Programs {
  readonly logits: Program;
  readonly boundary: Program;
  readonly probe: Program;
  readonly jump: Program;
}

/** Random images tried as starting points. */
const startsTried = 128;
/** Bisections that leave nothing of a float32. */
const mostBisections = 24;
/** Halvings of a step after which the point stays. */
const mostHalvings = 24;

/** Everything about one batch that does not change. */
interface Hunt {
  readonly batch: AttackBatch;
  readonly context: AttackContext;
  readonly programs: Programs;
  readonly options: HopSkipJumpOptions;
  readonly width: number;
  readonly length: RunLength;
}

const like = ({ batch: { inputs } }: Hunt, data: Float32Array): Tensor =>
  tensor("float32", inputs.shape, data);

const perRow = (data: Float32Array): Tensor => tensor("float32", [data.length], data);

/** Noise in the box: uniform, then black and white of growing density, since some networks see one class in all noise. */
function randomImages(bounds: Bounds, shape: readonly number[], seed: number): Tensor {
  const [low, high] = bounds;
  const stream = randomStream(seed, "hop-skip-jump-start");
  const width = count(shape);
  const images = new Float32Array(startsTried * width);
  for (let i = 0; i < startsTried; i++) {
    const image = images.subarray(i * width, (i + 1) * width);
    stream.uniform(image, { sample: 0, iteration: i });
    const density = (i - startsTried / 2 + 1) / (startsTried / 2 + 1);
    image.forEach((u, j) => (image[j] = low + (high - low) * (density > 0 ? Number(u < density) : u)));
  }
  return tensor("float32", [startsTried, ...shape], images);
}

/** Of each row the first random image that is adversarial for it, written to `starts`; returns the rows that have one. */
async function findStarts(
  { batch, context, programs, width }: Hunt,
  starts: Float32Array,
): Promise<number[]> {
  const { model, bounds } = context.classifier;
  const images = randomImages(bounds, model.inputShape, batch.seed);
  // Asked once, and counted for each image, which would ask as much alone.
  batch.passes?.add(range(batch.labels.length), query, startsTried);
  // These images are no rows of the batch: what a random model draws for them must not depend on it.
  const samples = { indices: range(startsTried), seed: batch.seed };
  const run = () => runRows(programs.logits, samples.indices, { perRow: { input: images } });
  const outputs = await withDraws(context.engine, samples, run);
  const classes = argMaxRows(floatsOf(outputNamed(outputs, "logits")), model.classes);
  return range(batch.labels.length).filter((row) => {
    const found = classes.findIndex((c) => (c === batch.labels[row]) === batch.targeted);
    if (found >= 0) putRows(starts, width, [row], takeRows(floatsOf(images), width, [found]));
    return found >= 0;
  });
}

/** Moves the `rows` of `points`, adversarial ones, towards the inputs until the boundary. */
async function toBoundary(hunt: Hunt, points: Float32Array, rows: readonly number[]): Promise<void> {
  const { batch, context, programs, options, width } = hunt;
  const tolerance = options.gamma / width ** (context.threat.name === "linf" ? 2 : 1.5);
  const n = batch.labels.length;
  await runRows(programs.boundary, rows, {
    states: {
      boundary: like(hunt, points),
      low: perRow(new Float32Array(n)),
      high: perRow(new Float32Array(n).fill(1)),
    },
    perRow: { input: batch.inputs, far: like(hunt, points.slice()), labels: labelsOf(batch) },
    scalars: { direction: aim(batch.targeted) },
    passes: counted(batch, query),
    iterations: Math.min(Math.max(Math.ceil(Math.log2(1 / tolerance)), 1), mostBisections),
  });
}

/**
 * Unit directions number `from` … of one step: normal in L2, uniform in L∞. All rows of all batches share them, so that
 * they cost no more than for one image, and no image's result depends on another's.
 */
function directionsOf(hunt: Hunt, step: number, from: number, n: number): Tensor {
  const { context, batch, width } = hunt;
  const stream = randomStream(batch.seed, "hop-skip-jump");
  const directions = new Float32Array(n * width);
  for (let i = 0; i < n; i++) {
    const one = directions.subarray(i * width, (i + 1) * width);
    const at = { sample: 0, round: step, iteration: from + i };
    if (context.threat.name === "linf") stream.uniform(one, at, [-1, 1]);
    else stream.normal(one, at);
    const length = Math.sqrt(one.reduce((total, v) => total + v * v, 0));
    one.forEach((v, j) => (one[j] = v / length));
  }
  return tensor("float32", [n, ...context.classifier.model.inputShape], directions);
}

/** The estimated way into the adversarial region at each of `points`, of length 1 in L2 and of signs in L∞. */
async function uphillAt(
  hunt: Hunt,
  step: number,
  { points, distances, rows }: { points: Float32Array; distances: Float32Array; rows: readonly number[] },
): Promise<Float32Array> {
  const { batch, context, programs, options, width } = hunt;
  const [low, high] = context.classifier.bounds;
  const queries = Math.floor(Math.min(options.initialQueries * Math.sqrt(step + 1), options.maxQueries));
  const radius = distances.map((d) => (step === 0 ? 0.1 * (high - low) : (options.gamma * d) / width));
  const votes = new Float32Array(distances.length);
  const [moves, weighted] = [new Float32Array(points.length), new Float32Array(points.length)];
  for (let done = 0; done < queries;) {
    context.signal?.throwIfAborted();
    const from = done;
    done += await hunt.length.run(queries - done, (iterations) =>
      runRows(programs.probe, rows, {
        states: { votes: perRow(votes), moves: like(hunt, moves), weighted: like(hunt, weighted) },
        perRow: { input: like(hunt, points), radius: perRow(radius), labels: labelsOf(batch) },
        scalars: { direction: aim(batch.targeted) },
        scanned: { along: directionsOf(hunt, step, from, iterations) },
        passes: counted(batch, query),
        iterations,
      }),
    );
  }
  // Votes all alike say nothing against their mean: then the plain sum is what there is.
  const baseline = votes.map((total) => (Math.abs(total) === queries ? 0 : total / queries));
  const slope = weighted.map((v, i) => v - (baseline[Math.floor(i / width)] ?? 0) * (moves[i] ?? 0));
  if (context.threat.name === "linf") return slope.map(Math.sign);
  const squares = Array.from(votes, (_, row) => {
    return slope.subarray(row * width, (row + 1) * width).reduce((total, v) => total + v * v, 0);
  });
  return slope.map((v, i) => v / (Math.sqrt(squares[Math.floor(i / width)] ?? 0) + 1e-12));
}

/** Leaves the boundary at `points` along `uphill`; returns adversarial points. */
async function jump(
  hunt: Hunt,
  step: number,
  from: { points: Float32Array; distances: Float32Array; rows: readonly number[]; uphill: Float32Array },
): Promise<Float32Array> {
  const { batch, programs } = hunt;
  const far = from.points.slice();
  const queries = new Float32Array(batch.labels.length);
  await runRows(programs.jump, from.rows, {
    states: {
      far: like(hunt, far),
      length: perRow(from.distances.map((d) => d / Math.sqrt(step + 1))),
      found: perRow(new Float32Array(batch.labels.length)),
      queries: perRow(queries),
    },
    perRow: {
      input: like(hunt, from.points),
      uphill: like(hunt, from.uphill),
      labels: labelsOf(batch),
    },
    scalars: { direction: aim(batch.targeted) },
    iterations: mostHalvings,
  });
  batch.passes?.add(from.rows, query, queries);
  return far;
}

/** All steps on the rows that have an adversarial point, until it lies within ε; of each row the nearest one seen. */
async function perturb(hunt: Hunt): Promise<Float32Array> {
  const { batch, context, options, width } = hunt;
  const originals = floatsOf(batch.inputs);
  const distancesOf = (points: Float32Array): Float32Array =>
    Float32Array.from(
      context.threat.distance(
        points.map((v, i) => v - (originals[i] ?? NaN)),
        width,
      ),
    );
  let points: Float32Array = originals.slice();
  let rows = await findStarts(hunt, points);
  const nearest = {
    points: originals.slice(),
    distances: new Float32Array(batch.labels.length).fill(Infinity),
  };
  for (let step = 0; rows.length > 0; step++) {
    context.signal?.throwIfAborted();
    await toBoundary(hunt, points, rows);
    const distances = distancesOf(points);
    const nearer = rows.filter((row) => (distances[row] ?? NaN) < (nearest.distances[row] ?? NaN));
    putRows(nearest.points, width, nearer, takeRows(points, width, nearer));
    for (const row of nearer) nearest.distances[row] = distances[row] ?? NaN;
    const enough = batch.epsilon < Infinity ? batch.epsilon : 0;
    rows = rows.filter((row) => (nearest.distances[row] ?? NaN) > enough);
    if (step === options.steps || rows.length === 0) break;
    const at = { points, distances, rows };
    points = await jump(hunt, step, { ...at, uphill: await uphillAt(hunt, step, at) });
  }
  return nearest.points;
}

async function load(engine: Engine, context: AttackContext): Promise<Programs> {
  const weights: Tensors = context.classifier.weights;
  return {
    logits: await loadFunction(engine, logitsFunction(context), { weights }),
    boundary: await loadLoop(engine, boundaryLoop(context), { weights }),
    probe: await loadLoop(engine, probeLoop(context), { weights }),
    jump: await loadLoop(engine, jumpLoop(context), { weights }),
  };
}

/**
 * Walks along the decision boundary towards the input, with gradients estimated from decisions; L2 and L∞. It starts at
 * random images: where none has the class to reach (or another than the class to leave), the input comes back.
 */
export const hopSkipJump = unit(
  "hop-skip-jump",
  "the nearest point, from decisions alone (black box)",
  schema,
  (options) => {
    const attack: Attack = {
      name: "hop-skip-jump",
      kind: "black-box",
      nearest: true,
      options,
      norms: ["linf", "l2"],
      async prepare(context) {
        checkTarget(attack, context);
        const { bounds, model } = context.classifier;
        check(bounds.every(Number.isFinite), attack.name, "finite bounds of the inputs", () =>
          bounds.join(" to "),
        );
        const programs = await load(context.engine, context);
        const width = count(model.inputShape);
        const length = new RunLength(width);
        return {
          perturb: guarded(attack, context, (batch) =>
            perturb({ batch, context, programs, options, width, length }),
          ),
          release: async () => {
            for (const program of Object.values(programs) as Program[]) await program.release();
          },
        };
      },
    };
    return attack;
  },
);
