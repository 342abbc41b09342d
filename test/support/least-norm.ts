// The shortest way to a hyperplane inside the box, in float64 and by other means than the product's.

/**
 * Smallest ‖d‖ with Σ worth·d = rise and 0 ≤ d ≤ room, worth ≥ 0; `rise` must not exceed Σ worth·room.
 * L0 takes those of most worth · room, L1 fills coordinates in the order of their worth; in L∞ and L2 all move with one level, found by bisection.
 */
export function leastNorm(
  norm: string,
  worth: readonly number[],
  room: readonly number[],
  rise: number,
): number {
  if (norm === "l0") {
    const gains = worth.map((each, i) => each * (room[i] ?? 0)).sort((a, b) => b - a);
    let left = rise;
    const enough = gains.findIndex((gain) => (left -= gain) <= 0);
    return enough + 1;
  }
  if (norm === "l1") {
    let left = rise;
    const order = [...worth.keys()].sort((i, j) => (worth[j] ?? 0) - (worth[i] ?? 0));
    return order.reduce((total, i) => {
      const each = worth[i] ?? 0;
      const move = each === 0 ? 0 : Math.min(room[i] ?? 0, left / each);
      left -= move * each;
      return total + move;
    }, 0);
  }
  const moves = (level: number): number[] =>
    room.map((r, i) => Math.min(r, norm === "l2" ? level * (worth[i] ?? 0) : level));
  let [low, high] = [0, 1e9];
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    const gained = moves(middle).reduce((total, move, k) => total + move * (worth[k] ?? 0), 0);
    [low, high] = gained < rise ? [middle, high] : [low, middle];
  }
  const found = moves(high);
  return norm === "l2" ? Math.hypot(...found) : Math.max(...found);
}
