// Images for figures: the first ones, or those that an attack did most to.
import type { Attack } from "../attacks/attack.js";
import type { NormName } from "../threat/find.js";
import type { Examples } from "./records.js";
import type { Strike } from "./strike.js";
import type { Field } from "./trial.js";
import { worstOf } from "./worst.js";

interface Shown {
  readonly attack: Attack;
  readonly norm: NormName;
  readonly epsilon: number;
}

/** The first `k` images, and what `struck` made of them, the later ones over the earlier ones. */
export async function firstExamples(
  field: Field,
  { attack, norm, epsilon }: Shown,
  struck: readonly Strike[],
  k: number,
): Promise<Examples[]> {
  if (k === 0) return [];
  const indices = Array.from({ length: k }, (_, i) => i);
  const originals = await field.rows(indices);
  const adversarial = originals.slice();
  const adversarialPredictions = field.predictions.slice(0, k);
  const width = originals.length / k;
  for (const { points, classes } of struck)
    for (const [index, point] of points) {
      adversarial.set(point, index * width);
      adversarialPredictions[index] = classes.get(index) ?? -1;
    }
  const labels = Int32Array.from(indices, (i) => field.labels[i] ?? 0);
  const predictions = field.predictions.slice(0, k);
  const shown = { originals, adversarial, labels, predictions, adversarialPredictions };
  return [{ attack: attack.name, norm, epsilon, ...shown }];
}

/** The `k` images that `struck` did most to, the worst first; none where nothing fell. */
export async function worstExamples(
  field: Field,
  { attack, norm, epsilon }: Shown,
  struck: readonly Strike[],
  k: number,
): Promise<Examples[]> {
  const found = worstOf(
    struck.flatMap(({ worst }) => worst),
    k,
  );
  if (found.length === 0) return [];
  const indices = found.map(({ index }) => index);
  const originals = await field.rows(indices);
  const adversarial = new Float32Array(originals.length);
  found.forEach(({ point }, i) => adversarial.set(point, i * point.length));
  const column = (values: ArrayLike<number>): Int32Array =>
    Int32Array.from(indices, (index) => values[index] ?? -1);
  const after = new Map(struck.flatMap(({ classes }) => [...classes]));
  return [
    {
      ...{ attack: attack.name, norm, epsilon, originals, adversarial },
      labels: column(field.labels),
      predictions: column(field.predictions),
      adversarialPredictions: Int32Array.from(indices, (index) => after.get(index) ?? -1),
    },
  ];
}

/** The radius that holds what was found of the first `k` images. */
export const farthest = ({ distances }: Strike, k: number): number =>
  Math.max(0, ...[...distances].flatMap(([index, d]) => (index < k && Number.isFinite(d) ? [d] : [])));
