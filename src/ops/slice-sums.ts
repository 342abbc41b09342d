// Sums of whole slices at places that are known: a gather for each slice that a place adds up, where ScatterElements
// would go element by element.
import type { Tensor } from "../base/tensor.js";
import type { Shape } from "../base/shape.js";
import type { Emitter } from "../graph/op.js";

/** More gathers than this cost as much as the scattering. */
const most = 8;

/**
 * The n-th slice that each of `size` places adds up, in rounds: `places[i]` is where slice i goes, and the number of
 * slices stands for none. Null where a place adds up too many.
 */
function roundsOf(places: readonly number[], size: number): number[][] | null {
  const rounds: number[][] = [];
  const counts = new Array<number>(size).fill(0);
  for (const [slice, place] of places.entries()) {
    const round = counts[place] ?? 0;
    if (round === most) return null;
    (rounds[round] ??= new Array<number>(size).fill(places.length))[place] = slice;
    counts[place] = round + 1;
  }
  return rounds;
}

/**
 * Writes zeros of `shape` to which the slices of `g` along `axis` are added at `places`, a vector; null where another
 * form is better.
 */
export function emitSliceSums(
  emit: Emitter,
  g: string,
  places: Tensor,
  { axis, shape }: { readonly axis: number; readonly shape: Shape },
): string | null {
  const size = shape[axis];
  const slices = Array.from(places.data, Number);
  if (places.shape.length !== 1 || typeof size !== "number" || slices.length === 0) return null;
  const rounds = roundsOf(slices, size);
  if (rounds === null) return null;
  const one = emit.shape(shape.map((d, i) => (i === axis ? 1 : d)));
  const zero = (): string => emit.node("ConstantOfShape", [one]);
  const isPadded = rounds.some((round) => round.includes(slices.length));
  const padded = isPadded ? emit.node("Concat", [g, zero()], { axis }) : g;
  return rounds
    .map((round) => emit.node("Gather", [padded, emit.constant(round, "int64")], { axis }))
    .reduce((total, part) => emit.node("Add", [total, part]));
}
