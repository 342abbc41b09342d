// How far an accuracy measured on n images can be trusted.

/** Standard normal quantile of a two-sided 95 % interval. */
const z95 = 1.959963984540054;

/**
 * Wilson's score interval for a share of `successes` out of `n` (Wilson 1927); `z` is the normal quantile, by default
 * that of 95 %. Within [0, 1], also at 0 and n successes; [0, 1] for n = 0.
 */
export function wilsonInterval(successes: number, n: number, z = z95): readonly [low: number, high: number] {
  if (n === 0) return [0, 1];
  const share = successes / n;
  const scale = 1 + (z * z) / n;
  const center = (share + (z * z) / (2 * n)) / scale;
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return [successes === 0 ? 0 : center - half, successes === n ? 1 : center + half];
}
