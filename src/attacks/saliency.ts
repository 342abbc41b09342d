// Saliency maps (Papernot et al. 2016, equations 8 to 10 and algorithm 3): which input elements to move next.

/** What could be done next to one row: elements with a direction each, and what a unit of the move is worth. */
export interface Moves {
  /** Which element each move changes. */
  readonly element: Int32Array;
  /** +1 or −1. */
  readonly sign: Int8Array;
  /** ∂F_t of each move, t the target class. */
  readonly gain: Float64Array;
  /** −Σ_{j≠t} ∂F_j of each move. */
  readonly relief: Float64Array;
  /** How many there are: what lies behind them in the arrays is left over. */
  count: number;
}

/** Room for the moves of a row of `width` numbers, both ways. */
export const roomForMoves = (width: number): Moves => ({
  element: new Int32Array(2 * width),
  sign: new Int8Array(2 * width),
  gain: new Float64Array(2 * width),
  relief: new Float64Array(2 * width),
  count: 0,
});

/** The move of largest gain · relief, both above 0, as its number; empty where there is none (eq. 8 and 9). */
export function bestSingle({ gain, relief, count }: Moves): number[] {
  let [best, found] = [0, -1];
  for (let i = 0; i < count; i++) {
    const [a = 0, c = 0] = [gain[i], relief[i]];
    if (a > 0 && c > 0 && a * c > best) [best, found] = [a * c, i];
  }
  return found < 0 ? [] : [found];
}

const largestSize = (values: Float64Array, count: number): number => {
  let largest = 0;
  for (let i = 0; i < count; i++) largest = Math.max(largest, Math.abs(values[i] ?? 0));
  return largest || 1;
};

/** The two moves with the largest sums of gain and relief, each in units of its largest size. */
function strongestTwo({ gain, relief, count }: Moves): readonly [number, number] {
  const [gains, reliefs] = [largestSize(gain, count), largestSize(relief, count)];
  let [first, second, most, next] = [0, 0, -Infinity, -Infinity];
  for (let i = 0; i < count; i++) {
    const worth = (gain[i] ?? 0) / gains + (relief[i] ?? 0) / reliefs;
    if (worth > most) [second, next, first, most] = [first, most, i, worth];
    else if (worth > next) [second, next] = [i, worth];
  }
  return [first, second];
}

/**
 * The moves that can be in the best pair, by falling gain. A move that is beaten in both numbers by two others is in
 * none: one of the two is not its partner, and taking that one instead lowers neither sum. First those that the two
 * strongest beat are left out, then, by falling gain, all whose relief two before them reach.
 */
function contenders(moves: Moves): Int32Array {
  const { gain, relief, count } = moves;
  const [p, q] = strongestTwo(moves);
  const a = Math.min(gain[p] ?? 0, gain[q] ?? 0);
  const c = Math.min(relief[p] ?? 0, relief[q] ?? 0);
  const left: number[] = [];
  for (let i = 0; i < count; i++)
    if (i === p || i === q || (gain[i] ?? 0) > a || (relief[i] ?? 0) > c) left.push(i);
  left.sort((i, j) => (gain[j] ?? 0) - (gain[i] ?? 0) || (relief[j] ?? 0) - (relief[i] ?? 0) || i - j);
  let [most, second] = [-Infinity, -Infinity];
  const kept = left.filter((i) => {
    const own = relief[i] ?? 0;
    if (own <= second) return false;
    [most, second] = own > most ? [own, most] : [most, own];
    return true;
  });
  return Int32Array.from(kept);
}

/**
 * The two moves of largest (aᵢ + aⱼ)·(cᵢ + cⱼ), a the gains and c the reliefs, both sums above 0; empty where there are
 * none (eq. 10). Exact, in less than the square of the number of moves.
 */
export function bestPair(moves: Moves): number[] {
  const { gain, relief } = moves;
  const all = contenders(moves);
  let best = 0;
  let found: number[] = [];
  for (let m = 1; m < all.length; m++) {
    const i = all[m] ?? 0;
    const [a, c] = [gain[i] ?? 0, relief[i] ?? 0];
    for (let n = 0; n < m; n++) {
      const j = all[n] ?? 0;
      const [gained, relieved] = [a + (gain[j] ?? 0), c + (relief[j] ?? 0)];
      if (gained > 0 && relieved > 0 && gained * relieved > best) {
        best = gained * relieved;
        found = [j, i];
      }
    }
  }
  return found;
}
