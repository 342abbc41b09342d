// Images read at other places: by whole pixels, or bilinearly between four; and what lies beyond the edge.
import { constant, type Node } from "../graph/node.js";
import { floats } from "../base/tensor.js";
import { add, mul, sub } from "../ops/arithmetic.js";
import { cast } from "../ops/compare.js";
import { takeAlong } from "../ops/gather.js";
import { abs, clip, floor } from "../ops/piecewise.js";
import { broadcastTo } from "../ops/reduce.js";
import { reshape } from "../ops/reshape.js";
import { unslice } from "../ops/structure.js";
import { sizesOf } from "./augmentation.js";

/** Beyond the edge: 0, the pixel at the edge (a a|a b c|c c), or the mirror image (b a|a b c|c b). */
export const edges = ["zero", "nearest", "reflect"] as const;
export type Edge = (typeof edges)[number];

/** Where each new pixel is read, each [rows, height · width]; pixels' centres at whole numbers. */
export interface Places {
  readonly y: Node;
  readonly x: Node;
}

/** Rows and columns of an image's own pixels, each [1, height · width]. */
export function ownPlaces(height: number, width: number): Places {
  const line = (value: (i: number) => number): Node =>
    constant(
      floats(
        [1, height * width],
        Float32Array.from({ length: height * width }, (_, i) => value(i)),
      ),
    );
  return { y: line((i) => Math.floor(i / width)), x: line((i) => i % width) };
}

/** The whole number in [0, n), or in [−1, n] where 0 lies beyond the edge, at which `i` is read. */
function inside(i: Node, n: number, edge: Edge): Node {
  if (edge === "zero") return clip(i, -1, n);
  if (edge === "nearest") return clip(i, 0, n - 1);
  const fromLeft = sub(abs(add(i, 0.5)), 0.5);
  const fromRight = sub(n - 0.5, abs(sub(n - 0.5, fromLeft)));
  return clip(fromRight, 0, n - 1);
}

/** Images with a border of one pixel of zeros. */
function bordered(images: Node): Node {
  const { rows, channels, height, width } = sizesOf(images);
  return unslice(images, [rows, channels, height + 2, width + 2], {
    starts: [0, 0, 1, 1],
    ends: [rows, channels, height + 1, width + 1],
    steps: [1, 1, 1, 1],
  });
}

/** The pixels of `images` at whole-number places. */
function reader(images: Node, edge: Edge): (places: Places) => Node {
  const { rows, channels, height, width } = sizesOf(images);
  const margin = edge === "zero" ? 1 : 0;
  const stride = width + 2 * margin;
  const source = margin === 1 ? bordered(images) : images;
  const flat = reshape(source, [rows, channels, (height + 2 * margin) * stride]);
  return ({ y, x }) => {
    const index = add(
      add(mul(inside(y, height, edge), stride), inside(x, width, edge)),
      margin * (stride + 1),
    );
    const each = broadcastTo(reshape(cast(index, "int32"), [rows, 1, height * width]), [
      rows,
      channels,
      height * width,
    ]);
    return takeAlong(flat, each, 2);
  };
}

/** `images` [rows, channels, height, width] read at whole-number `places`. */
export const moved = (images: Node, places: Places, edge: Edge): Node =>
  reshape(reader(images, edge)(places), images.shape);

/** `images` [rows, channels, height, width] read bilinearly at `places`. */
export function sampled(images: Node, { y, x }: Places, edge: Edge): Node {
  const { rows, height, width } = sizesOf(images);
  const read = reader(images, edge);
  const [top, left] = [floor(y), floor(x)];
  const [down, right] = [sub(y, top), sub(x, left)];
  const [up, back] = [sub(1, down), sub(1, right)];
  const corners = [
    [top, left, mul(up, back)],
    [top, add(left, 1), mul(up, right)],
    [add(top, 1), left, mul(down, back)],
    [add(top, 1), add(left, 1), mul(down, right)],
  ] as const;
  const parts = corners.map(([row, column, share]) =>
    mul(read({ y: row, x: column }), reshape(share, [rows, 1, height * width])),
  );
  return reshape(
    parts.reduce((sum, part) => add(sum, part)),
    images.shape,
  );
}
