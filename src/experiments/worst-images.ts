// The images of an audit that the smallest changes bring down.
import { imageSize, type ImageShape } from "../data/index.js";
import type { Examples } from "../evaluation/records.js";
import { findThreat } from "../threat/find.js";
import type { Gallery } from "./records.js";

/** As many as a figure shows. */
const shown = 8;

interface Fallen {
  readonly from: Examples;
  readonly row: number;
  readonly distance: number;
}

/** What brought an image down: rightly classified before, wrongly after. */
function fallenOf(examples: Examples, width: number): Fallen[] {
  const { originals, adversarial, labels, predictions, adversarialPredictions, norm } = examples;
  const distances = findThreat(norm).distance(
    adversarial.map((v, i) => v - (originals[i] ?? 0)),
    width,
  );
  return [...labels.keys()]
    .filter((row) => predictions[row] === labels[row] && adversarialPredictions[row] !== labels[row])
    .map((row) => ({ from: examples, row, distance: distances[row] ?? Infinity }));
}

/**
 * Of each image the point nearest to it, in the norm of the first attack that brought anything down; the nearest first.
 * Null where nothing fell.
 */
export function worstImages(
  all: readonly Examples[],
  { imageShape, title }: { readonly imageShape: ImageShape; readonly title: string },
): Gallery | null {
  const width = imageSize(imageShape);
  const fallen = all.flatMap((examples) => fallenOf(examples, width));
  const norm = fallen[0]?.from.norm;
  const nearest = new Map<number, Fallen>();
  for (const each of fallen)
    if (each.from.norm === norm && each.distance < (nearest.get(each.row)?.distance ?? Infinity))
      nearest.set(each.row, each);
  const chosen = [...nearest.values()].toSorted((a, b) => a.distance - b.distance).slice(0, shown);
  const last = chosen.at(-1);
  if (norm === undefined || last === undefined) return null;
  const attacks = [...new Set(chosen.map(({ from }) => from.attack))].join(", ");
  const rows = (values: (from: Examples) => Float32Array): Float32Array => {
    const out = new Float32Array(chosen.length * width);
    chosen.forEach(({ from, row }, i) =>
      out.set(values(from).subarray(row * width, (row + 1) * width), i * width),
    );
    return out;
  };
  const column = (values: (from: Examples) => Int32Array): Int32Array =>
    Int32Array.from(chosen, ({ from, row }) => values(from)[row] ?? -1);
  return {
    trial: title,
    method: title,
    seed: 0,
    imageShape,
    attack: { attack: attacks, norm, epsilon: last.distance },
    originals: rows((from) => from.originals),
    adversarial: rows((from) => from.adversarial),
    labels: column((from) => from.labels),
    predictions: column((from) => from.predictions),
    adversarialPredictions: column((from) => from.adversarialPredictions),
    features: null,
  };
}
