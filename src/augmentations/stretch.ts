// Windows of images, stretched over the whole of them.
import { floats } from "../base/tensor.js";
import { constant, type Node } from "../graph/node.js";
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { maximum, minimum } from "../ops/extremum.js";
import { sizesOf } from "./augmentation.js";
import { sampled } from "./warp.js";

/** A window of each image in whole pixels, each number [rows, 1]. */
export interface Windows {
  readonly top: Node;
  readonly left: Node;
  readonly tall: Node;
  readonly wide: Node;
}

/**
 * The windows read bilinearly, the edges of their outer pixels on the image's edges: of n pixels the i-th is read at
 * first + (i + ½)·length/n − ½, held within the window. A window as large as the image leaves it as it is.
 */
export function stretched(images: Node, { top, left, tall, wide }: Windows): Node {
  const { height, width } = sizesOf(images);
  const each = (value: (i: number) => number): Node =>
    constant(
      floats(
        [1, height * width],
        Float32Array.from({ length: height * width }, (_, i) => value(i)),
      ),
    );
  const along = (n: number, pixel: (i: number) => number, first: Node, length: Node): Node => {
    // i + (i + ½)·(length/n − 1), written so that it is i exactly where length = n.
    const shrunk = mul(
      each((i) => pixel(i) + 0.5),
      div(sub(length, n), n),
    );
    const place = add(each(pixel), shrunk);
    return add(first, maximum(minimum(place, sub(length, 1)), 0));
  };
  return sampled(
    images,
    {
      y: along(height, (i) => Math.floor(i / width), top, tall),
      x: along(width, (i) => i % width, left, wide),
    },
    "nearest",
  );
}
