// Bootstrap intervals, bias-corrected and accelerated (BCa; Efron 1987, "Better bootstrap confidence intervals"). Few
// figures have so few resamples that all of them are counted; nothing is drawn then.
import { check } from "../../base/errors.js";
import { randomStream } from "../../base/random.js";
import { normalCdf, normalQuantile } from "./normal.js";
import { median, summarize } from "./summary.js";

const statistics = { mean: (values: readonly number[]) => summarize(values).mean, median } as const;

export interface BootstrapOptions {
  /** Default `mean`. */
  readonly statistic?: keyof typeof statistics;
  /** Share of samples whose interval holds the true value; default 0.95. */
  readonly level?: number;
  /** Resamples drawn where there are more than 8 figures; default 9,999. */
  readonly resamples?: number;
  /** Of the draws; default 0. */
  readonly seed?: number;
}

export interface BootstrapInterval {
  readonly low: number;
  readonly high: number;
  readonly level: number;
  /** In words: `BCa bootstrap, all resamples`. */
  readonly method: string;
}

/** A value of the statistic and how many resamples give it. */
interface Weighted {
  readonly value: number;
  readonly count: number;
}

type Statistic = (values: readonly number[]) => number;

/** Figures up to which every resample is counted: 8⁸ of them, in 6,435 different ones. */
const mostCounted = 8;

/** Every resample of `values` once, with the number of orders it can be drawn in: n! / Π(times each is drawn)!. */
function allResamples(values: readonly number[], statistic: Statistic): Weighted[] {
  const found: Weighted[] = [];
  const take = (at: number, drawn: readonly number[], orders: number): void => {
    const left = values.length - drawn.length;
    if (at === values.length - 1) {
      const rest = Array.from({ length: left }, () => values[at] ?? NaN);
      found.push({ value: statistic([...drawn, ...rest]), count: orders });
      return;
    }
    let ways = orders;
    for (let times = 0; times <= left; times++) {
      const more = Array.from({ length: times }, () => values[at] ?? NaN);
      take(at + 1, [...drawn, ...more], ways);
      ways = (ways * (left - times)) / (times + 1);
    }
  };
  take(0, [], 1);
  return found;
}

function drawnResamples(
  values: readonly number[],
  statistic: Statistic,
  { resamples = 9999, seed = 0 }: BootstrapOptions,
): Weighted[] {
  const stream = randomStream(seed, "bootstrap");
  const words = new Uint32Array(values.length);
  return Array.from({ length: resamples }, (_, sample) => {
    stream.words(words, { sample });
    const drawn = Array.from(words, (word) => values[Math.floor((word / 2 ** 32) * values.length)] ?? NaN);
    return { value: statistic(drawn), count: 1 };
  });
}

/** The quantile at `share` of a distribution in ascending order, linear between neighbours. */
function quantile(sorted: readonly Weighted[], share: number): number {
  const total = sorted.reduce((count, each) => count + each.count, 0);
  const position = share * (total - 1);
  const at = (rank: number): number => {
    let seen = 0;
    return sorted.find(({ count }) => (seen += count) > rank)?.value ?? NaN;
  };
  const [low, high] = [at(Math.floor(position)), at(Math.ceil(position))];
  return low + (position - Math.floor(position)) * (high - low);
}

/** z₀: how far the middle of the distribution lies from `observed`; values equal up to rounding count half. */
function bias(distribution: readonly Weighted[], observed: number): number {
  const slack = 1e-12 * Math.max(...distribution.map(({ value }) => Math.abs(value)));
  let [below, total] = [0, 0];
  for (const { value, count } of distribution) {
    total += count;
    below += Math.abs(value - observed) <= slack ? count / 2 : value < observed ? count : 0;
  }
  return normalQuantile(below / total);
}

/** a = Σd³ / (6·(Σd²)^1.5), d the jackknife's deviations from their mean. */
function acceleration(values: readonly number[], statistic: Statistic): number {
  const without = values.map((_, i) => statistic(values.toSpliced(i, 1)));
  const { mean } = summarize(without);
  const squares = without.reduce((total, value) => total + (mean - value) ** 2, 0);
  const cubes = without.reduce((total, value) => total + (mean - value) ** 3, 0);
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}

/**
 * The bias-corrected and accelerated bootstrap interval of a statistic of `values`, from all nⁿ resamples up to n = 8
 * and from seeded draws beyond: the quantiles at Φ(z₀ + (z₀ + z)/(1 − a(z₀ + z))). Throws for fewer than two values.
 * Efron 1987, equations 6.3 to 6.6.
 */
export function bootstrapInterval(
  values: readonly number[],
  options: BootstrapOptions = {},
): BootstrapInterval {
  const { statistic: name = "mean", level = 0.95 } = options;
  check(values.length >= 2, "bootstrapInterval", "at least two figures", () => String(values.length));
  check(level > 0 && level < 1, "bootstrapInterval: level", "a share in (0, 1)", () => String(level));
  const statistic = statistics[name];
  const counted = values.length <= mostCounted;
  const method = `BCa bootstrap, ${counted ? "all resamples" : `${options.resamples ?? 9999} resamples drawn`}`;
  if (values.every((value) => value === values[0]))
    return { low: values[0] ?? NaN, high: values[0] ?? NaN, level, method };
  const resamples = counted ? allResamples(values, statistic) : drawnResamples(values, statistic, options);
  const sorted = resamples.sort((a, b) => a.value - b.value);
  const z0 = bias(sorted, statistic(values));
  const a = acceleration(values, statistic);
  const end = (share: number): number => {
    const z = z0 + normalQuantile(share);
    return quantile(sorted, normalCdf(z0 + z / (1 - a * z)));
  };
  return { low: end((1 - level) / 2), high: end((1 + level) / 2), level, method };
}
