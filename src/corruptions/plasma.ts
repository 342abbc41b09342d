// Clouds by the diamond–square method: a surface that wraps around, its bumps smaller on smaller scales.
import type { ImageRandom } from "./corruption.js";

/** [side, side] in [0, 1]; `side` is a power of two, `decay` how much smaller bumps become when their size halves. */
function plasma(side: number, decay: number, random: ImageRandom): Float64Array {
  const surface = new Float64Array(side * side);
  const at = (y: number, x: number): number => ((y + side) % side) * side + ((x + side) % side);
  const read = (y: number, x: number): number => surface[at(y, x)] ?? 0;
  let bump = 1;
  for (let step = side; step >= 2; step /= 2, bump /= decay * decay) {
    const half = step / 2;
    const cells = (side / step) ** 2;
    const noise = random.uniform(3 * cells, [-bump, bump]);
    let drawn = 0;
    const raise = (y: number, x: number, sum: number): void => {
      surface[at(y, x)] = sum / 4 + (noise[drawn++] ?? 0);
    };
    const eachCell = (visit: (y: number, x: number) => void): void => {
      for (let y = 0; y < side; y += step) for (let x = 0; x < side; x += step) visit(y, x);
    };
    eachCell((y, x) =>
      raise(
        y + half,
        x + half,
        read(y, x) + read(y + step, x) + read(y, x + step) + read(y + step, x + step),
      ),
    );
    const cross = (y: number, x: number): number =>
      read(y - half, x) + read(y + half, x) + read(y, x - half) + read(y, x + half);
    eachCell((y, x) => raise(y, x + half, cross(y, x + half)));
    eachCell((y, x) => raise(y + half, x, cross(y + half, x)));
  }
  const [low, high] = surface.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
  return surface.map((v) => (v - low) / (high - low));
}

/** The top left of a surface of the next power of two: [height, width] in [0, 1]. */
export function clouds(
  height: number,
  width: number,
  { decay, random }: { readonly decay: number; readonly random: ImageRandom },
): Float64Array {
  const side = 2 ** Math.ceil(Math.log2(Math.max(height, width)));
  const surface = plasma(side, decay, random);
  return Float64Array.from(
    { length: height * width },
    (_, i) => surface[Math.floor(i / width) * side + (i % width)] ?? 0,
  );
}
