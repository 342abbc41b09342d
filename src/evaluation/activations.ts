// What hidden units answer to images: the share of exact zeros, the mean, and a histogram, counted by the engine.
import { floatsOf } from "../attacks/attack.js";
import { outputNamed, range, runRows } from "../attacks/rows.js";
import { B, divideDims, sizeOf } from "../base/shape.js";
import { tensor } from "../base/tensor.js";
import { graphFunction, topological, type GraphFunction } from "../graph/function.js";
import { input, type Node } from "../graph/node.js";
import { simplify } from "../graph/simplify.js";
import { fileNames, lookup, weightInputs } from "../nn/classifier.js";
import { evaluationPass, type Classifier, type Model } from "../nn/model.js";
import { cast, concat, equal, greater, less, reshape, sum } from "../ops/index.js";
import type { Engine } from "../runtime/engine.js";
import { loadFunction } from "../runtime/load.js";
import { checkedRows, type EvaluationData } from "./data.js";
import type { Progress } from "./evaluate.js";

/** The histogram: bins of 0.1 from −1 to 5, closed away from zero: [−1, −0.9) … [−0.1, 0), (0, 0.1] … (4.9, 5]. */
const activationBins = { low: -1, high: 5, width: 0.1 } as const;

/** Activations of some hidden units over n images. */
export interface ActivationCounts {
  /** Numbers for each image. */
  readonly units: number;
  /** Share that is exactly 0. */
  readonly zeros: number;
  /** Null where one of them is infinite or not a number. */
  readonly mean: number | null;
  /** By bin; exact zeros are in none. */
  readonly counts: readonly number[];
  /** Numbers below the first bin and above the last. */
  readonly below: number;
  readonly above: number;
}

export interface ActivationRecord {
  readonly n: number;
  readonly bins: { readonly low: number; readonly high: number; readonly width: number };
  /** All hidden units together; absent where the network has none. */
  readonly all?: ActivationCounts;
  /** In the network's order. */
  readonly sites: readonly (ActivationCounts & { readonly site: string })[];
}

export interface ActivationOptions {
  readonly engine: Engine;
  /** Only the first images; default all. */
  readonly limit?: number | undefined;
  /** Images a batch, default 128; the result does not depend on it. */
  readonly batchSize?: number;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

const { low, high, width } = activationBins;
const [negative, positive] = [Math.round(-low / width), Math.round(high / width)];
const edge = (k: number): number => Math.fround(k * width);

/** What is counted of an image: zeros, the sum, then how many lie beyond each edge, seen from zero. */
const edgesBelow = range(negative + 1).map((k) => -edge(k));
const edgesAbove = range(positive + 1).map(edge);
const columns = 2 + edgesBelow.length + edgesAbove.length;

interface Site {
  readonly name: string;
  readonly units: number;
  /** [batch, columns]. */
  readonly counted: Node;
}

/** Counts are exact: float32 holds whole numbers to 2²⁴, and each is of one image. */
function countedOf(activation: Node, units: number): Node {
  const values = reshape(activation, [B, units]);
  const share = (mask: Node): Node => sum(cast(mask, "float32"), { axes: [1], keepDims: true });
  return concat(
    [
      share(equal(values, 0)),
      sum(values, { axes: [1], keepDims: true }),
      ...edgesBelow.map((e) => share(less(values, e))),
      ...edgesAbove.map((e) => share(greater(values, e))),
    ],
    1,
  );
}

/** The hidden activations that the logits of `x` need and that depend on the images. */
function sitesOf(model: Model, x: Node, value: (name: string) => Node): Site[] {
  const seen: { name: string; activation: Node }[] = [];
  const logits = model.apply(x, {
    ...evaluationPass(value),
    site: (name, activation) => {
      seen.push({ name, activation });
      return activation;
    },
  });
  const used = new Set(topological([logits]));
  return seen.flatMap(({ name, activation }) => {
    const units = divideDims(sizeOf(activation.shape), B);
    if (!used.has(activation) || typeof units !== "number") return [];
    return [{ name, units, counted: countedOf(activation, units) }];
  });
}

/** Sums over images of what is counted, in float64, so that batches do not show. */
function recordOf(units: number, n: number, totals: ArrayLike<number>): ActivationCounts {
  const total = (i: number): number => totals[i] ?? 0;
  const below = (k: number): number => total(2 + k);
  const above = (k: number): number => total(2 + edgesBelow.length + k);
  const mean = total(1) / (n * units);
  return {
    units,
    zeros: total(0) / (n * units),
    mean: Number.isFinite(mean) ? mean : null,
    counts: [
      ...range(negative)
        .toReversed()
        .map((k) => below(k) - below(k + 1)),
      ...range(positive).map((k) => above(k) - above(k + 1)),
    ],
    below: below(negative),
    above: above(positive),
  };
}

interface Work {
  /** [batch, numbers] of what is counted of each image. */
  readonly fn: GraphFunction;
  readonly numbers: number;
  /** Images. */
  readonly n: number;
}

/** Totals of each number over the images. */
async function countAll(
  classifier: Classifier,
  { fn, numbers, n }: Work,
  data: EvaluationData,
  { engine, batchSize = 128, onProgress, signal }: ActivationOptions,
): Promise<Float64Array> {
  const { model, weights } = classifier;
  const rows = checkedRows(data, classifier);
  const totals = new Float64Array(numbers);
  const program = await loadFunction(engine, fn, { weights });
  try {
    for (let at = 0; at < n; at += batchSize) {
      signal?.throwIfAborted();
      const indices = range(Math.min(batchSize, n - at)).map((i) => at + i);
      const images = tensor("float32", [indices.length, ...model.inputShape], await rows(indices));
      const outputs = await runRows(program, range(indices.length), {
        perRow: { [fileNames(model).input]: images },
      });
      const counted = floatsOf(outputNamed(outputs, "activations"));
      for (let i = 0; i < indices.length * totals.length; i++) {
        const column = i % totals.length;
        totals[column] = (totals[column] ?? 0) + (counted[i] ?? 0);
      }
      onProgress?.({ doing: "activations", done: at + indices.length, total: n });
    }
  } finally {
    await program.release();
  }
  return totals;
}

/**
 * Hidden activations of `classifier` on the first images of `data`, in evaluation mode: for each site and for all
 * together the share of exact zeros, the mean and a histogram (Nøkland 2015, Figure 3).
 */
export async function measureActivations(
  classifier: Classifier,
  data: EvaluationData,
  options: ActivationOptions,
): Promise<ActivationRecord> {
  const { model } = classifier;
  const n = Math.min(data.count, options.limit ?? data.count);
  const x = input(fileNames(model).input, [B, ...model.inputShape]);
  const values = weightInputs(model);
  const sites = sitesOf(model, x, lookup(values));
  const bins = { ...activationBins };
  if (sites.length === 0) return { n, bins, sites: [] };
  const output = concat(
    sites.map(({ counted }) => counted),
    1,
  );
  const fn = simplify(graphFunction("activations", [x, ...values.values()], { activations: output }));
  const totals = await countAll(classifier, { fn, numbers: sites.length * columns, n }, data, options);
  const every = range(columns).map((c) =>
    sites.reduce((sum, _, s) => sum + (totals[s * columns + c] ?? 0), 0),
  );
  return {
    n,
    bins,
    all: recordOf(
      sites.reduce((sum, { units }) => sum + units, 0),
      n,
      every,
    ),
    sites: sites.map(({ name, units }, s) => ({
      site: name,
      ...recordOf(units, n, totals.subarray(s * columns, (s + 1) * columns)),
    })),
  };
}
