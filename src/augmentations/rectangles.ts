// Random rectangles within images: of several drawn for each, the first that fits.
import type { Node } from "../graph/node.js";
import { mul, sub } from "../ops/arithmetic.js";
import { argMax, oneHot } from "../ops/indexing.js";
import { clip, floor } from "../ops/piecewise.js";
import { sum } from "../ops/reduce.js";

/** Sides in whole pixels. */
export interface Sides {
  readonly tall: Node;
  readonly wide: Node;
}

export interface FitOptions {
  /** Rectangles drawn for each image. */
  readonly tries: number;
  /** The largest that fits, pixels. */
  readonly most: { readonly height: number; readonly width: number };
}

/** The sides [rows, 1] of the first of the rectangles [rows, tries] that fits; `fits` is 0 where none does, else 1. */
export function firstThatFits({ tall, wide }: Sides, { tries, most }: FitOptions): Sides & { fits: Node } {
  const fit = mul(clip(sub(most.height + 1, tall), 0, 1), clip(sub(most.width + 1, wide), 0, 1));
  const first = oneHot(argMax(fit, 1), tries);
  const taken = (values: Node): Node => sum(mul(values, first), { axes: [1], keepDims: true });
  return { tall: taken(tall), wide: taken(wide), fits: taken(fit) };
}

/** Where `length` of n pixels begin, each place as likely, for `u` ~ U(0, 1). */
export const startOf = (n: number, length: Node, u: Node): Node => floor(mul(u, sub(n + 1, length)));
