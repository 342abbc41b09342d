// The largest coordinates of rows, a whole number of them: what L0 balls are made of.
import { count } from "../base/shape.js";
import { floats } from "../base/tensor.js";
import { constant, type Node, type Operand } from "../graph/node.js";
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { cast, greater, lessEqual, where } from "../ops/compare.js";
import { maximum } from "../ops/extremum.js";
import { floor } from "../ops/piecewise.js";
import { largestOfRows, rowSums, smallest } from "./rows.js";

/** Sizes closer than 2⁻²⁴ of the largest one count as equal. */
const halvings = 24;

const marks = (condition: Node): Node => cast(condition, "float32");

/** 1 … columns in the shape of a row. */
function placesOf(shape: readonly number[]): Node {
  const columns = count(shape);
  return constant(
    floats(
      [1, ...shape],
      Float32Array.from({ length: columns }, (_, i) => i + 1),
    ),
  );
}

/** The first `most` of the coordinates that `candidates` marks, by halving the place up to which they are taken. */
function firstOf(candidates: Node, most: Node): Node {
  const shape = candidates.shape.slice(1).map((d) => {
    if (typeof d !== "number") throw new Error("rows of a symbolic size");
    return d;
  });
  const places = placesOf(shape);
  const upTo = (place: Node): Node => mul(candidates, marks(lessEqual(places, place)));
  let low: Node = mul(most, 0);
  let high: Node = add(low, count(shape) + 1);
  for (let step = 0; step < Math.ceil(Math.log2(count(shape) + 1)); step++) {
    const middle = floor(mul(add(low, high), 0.5));
    const fits = lessEqual(rowSums(upTo(middle)), most);
    [low, high] = [where(fits, middle, low), where(fits, high, middle)];
  }
  return upTo(low);
}

/**
 * 1 at the `most` largest of `sizes` ≥ 0 in each row, 0 elsewhere and at sizes of 0; of equal ones the first: [n, …].
 * What is larger than the threshold lies in by halving, what lies within its last interval by place.
 */
export function largestMarks(sizes: Node, most: Operand): Node {
  const share = div(sizes, maximum(largestOfRows(sizes), smallest));
  const countAbove = (threshold: Node): Node => rowSums(marks(greater(share, threshold)));
  let low: Node = mul(largestOfRows(share), 0);
  let high: Node = add(low, 1);
  for (let step = 0; step < halvings; step++) {
    const middle = mul(add(low, high), 0.5);
    const fits = lessEqual(countAbove(middle), most);
    [low, high] = [where(fits, low, middle), where(fits, middle, high)];
  }
  const whole = marks(greater(share, high));
  const edge = sub(marks(greater(share, low)), whole);
  return add(whole, firstOf(edge, sub(most, rowSums(whole))));
}
