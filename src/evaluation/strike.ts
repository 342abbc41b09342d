// One attack at one radius on given images: what it leaves of each, batch by batch, known ones taken from the journal.
import type { Passes } from "../attacks/passes.js";
import type { CarriedOn } from "./carry-on.js";
import type { Journal, JournalEntry } from "./journal.js";
import { worstOf, type WorstPoint } from "./worst.js";
import { attackAll, type AttackedBatch, type AttackLane, type Field, type Radius } from "./trial.js";

export interface StrikeOptions {
  readonly lanes: readonly AttackLane[];
  readonly radius: Radius;
  /** What the journal knows the strike by. */
  readonly name: string;
  readonly journal: Journal | undefined;
  /** Points of the images before this one are kept. */
  readonly keep: number;
  /** So many of the points that do most are kept. */
  readonly worst: number;
  /** Called with the number of images done. */
  readonly onImages: (images: number) => void;
}

export interface Strike {
  /** By index: the class at the attack's point. Images that were not attacked are not in it. */
  readonly classes: ReadonlyMap<number, number>;
  /** By index: how far the point is from its image; for attacks that look for the nearest point. */
  readonly distances: ReadonlyMap<number, number>;
  /** By index, of those kept. */
  readonly points: ReadonlyMap<number, Float32Array>;
  /** By index: what the attack asked of the model. */
  readonly passes: ReadonlyMap<number, Passes>;
  /** The worst first. */
  readonly worst: readonly WorstPoint[];
  readonly outside: number;
  readonly nonFinite: number;
  readonly rounding: { readonly checked: number; readonly lost: number };
  readonly carriedOn: CarriedOn;
  readonly milliseconds: number;
}

/** The points of `batch` that are among the `most` worst, beside the `known` ones. */
function entrants(
  { indices, points, scores }: AttackedBatch,
  known: readonly WorstPoint[],
  most: number,
): WorstPoint[] {
  const width = points.length / indices.length;
  const fallen = indices.flatMap((index, row) => {
    const score = scores[row] ?? -Infinity;
    return score > -Infinity
      ? [{ index, score, point: points.subarray(row * width, (row + 1) * width) }]
      : [];
  });
  return worstOf([...known, ...fallen], most)
    .filter((each) => !known.includes(each))
    .map((each) => ({ ...each, point: each.point.slice() }));
}

function entryOf(
  batch: AttackedBatch,
  { keep, milliseconds, worst }: { keep: number; milliseconds: number; worst: readonly WorstPoint[] },
): JournalEntry {
  const { indices, points, classes, distances, outside, nonFinite, rounding, carriedOn, passes } = batch;
  const width = points.length / indices.length;
  const kept = indices.flatMap((index, i) => (index < keep ? [i] : []));
  const rows = new Float32Array(kept.length * width);
  kept.forEach((row, i) => rows.set(points.subarray(row * width, (row + 1) * width), i * width));
  return {
    indices: [...indices],
    classes: [...classes],
    ...(distances && { distances: [...distances] }),
    outside,
    nonFinite,
    rounding,
    ...(carriedOn && { carriedOn }),
    passes: { forward: [...passes.forward], gradient: [...passes.gradient] },
    milliseconds,
    ...(kept.length > 0 && { points: rows }),
    ...(worst.length > 0 && { worst }),
  };
}

/** Takes `entry` into the maps. */
function record(
  entry: JournalEntry,
  keep: number,
  maps: {
    classes: Map<number, number>;
    distances: Map<number, number>;
    points: Map<number, Float32Array>;
    passes: Map<number, Passes>;
  },
): void {
  const kept = entry.indices.filter((index) => index < keep);
  const width = (entry.points?.length ?? 0) / Math.max(kept.length, 1);
  entry.indices.forEach((index, i) => {
    maps.classes.set(index, entry.classes[i] ?? -1);
    if (entry.distances) maps.distances.set(index, entry.distances[i] ?? Infinity);
    const { forward = [], gradient = [] } = entry.passes ?? {};
    maps.passes.set(index, { forward: forward[i] ?? 0, gradient: gradient[i] ?? 0 });
  });
  kept.forEach((index, i) => {
    if (entry.points) maps.points.set(index, entry.points.slice(i * width, (i + 1) * width));
  });
}

/** Attacks the images at `indices` that the journal does not know of. */
export async function strike(
  field: Field,
  indices: readonly number[],
  { lanes, radius, name, journal, keep, worst: most, onImages }: StrikeOptions,
): Promise<Strike> {
  const maps = {
    classes: new Map<number, number>(),
    distances: new Map<number, number>(),
    points: new Map<number, Float32Array>(),
    passes: new Map<number, Passes>(),
  };
  const seen = {
    outside: 0,
    nonFinite: 0,
    rounding: { checked: 0, lost: 0 },
    carriedOn: { checked: 0, fallen: 0 },
    milliseconds: 0,
  };
  let worst: readonly WorstPoint[] = [];
  const take = (entry: JournalEntry): void => {
    record(entry, keep, maps);
    worst = worstOf([...worst, ...(entry.worst ?? [])], most);
    seen.outside += entry.outside;
    seen.nonFinite += entry.nonFinite;
    seen.rounding.checked += entry.rounding.checked;
    seen.rounding.lost += entry.rounding.lost;
    seen.carriedOn.checked += entry.carriedOn?.checked ?? 0;
    seen.carriedOn.fallen += entry.carriedOn?.fallen ?? 0;
    seen.milliseconds += entry.milliseconds;
    onImages(entry.indices.length);
  };
  journal?.read(name).forEach(take);
  const left = indices.filter((index) => !maps.classes.has(index));
  let begun = performance.now();
  for await (const batch of attackAll(field, lanes, radius, left)) {
    const now = performance.now();
    const milliseconds = now - begun;
    const entry = entryOf(batch, { keep, milliseconds, worst: entrants(batch, worst, most) });
    begun = now;
    await journal?.write(name, entry);
    take(entry);
  }
  return { ...maps, ...seen, worst };
}
