// How far the nearest adversarial points lie, in a few numbers.
import type { Attack } from "../attacks/attack.js";
import type { NormName } from "../threat/find.js";
import type { DistanceRecord } from "./records.js";

/** The value below which a share of the sorted values lies, between neighbours by a straight line; null if infinite. */
function quantile(sorted: readonly number[], share: number): number | null {
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)] ?? Infinity, sorted[Math.ceil(at)] ?? Infinity];
  const value = low === high ? low : low + (high - low) * (at - Math.floor(at));
  return Number.isFinite(value) ? value : null;
}

/** Quantiles of `distances`, infinite where nothing was found. */
export function distanceRecordOf(
  distances: readonly number[],
  {
    attack,
    norm,
    targeted,
    labels,
  }: {
    readonly attack: Attack;
    readonly norm: NormName;
    readonly targeted: boolean;
    readonly labels: "true" | "predicted";
  },
): DistanceRecord {
  const sorted = distances.toSorted((a, b) => a - b);
  const [least, lower, median, upper, most] = [0, 0.25, 0.5, 0.75, 1].map((share) => quantile(sorted, share));
  return {
    attack: attack.name,
    norm,
    n: distances.length,
    found: distances.filter(Number.isFinite).length,
    quantiles: {
      least: least ?? null,
      lower: lower ?? null,
      median: median ?? null,
      upper: upper ?? null,
      most: most ?? null,
    },
    labels,
    ...(targeted && { targeted: true as const }),
    ...(Object.keys(attack.options).length > 0 && { options: attack.options }),
  };
}
