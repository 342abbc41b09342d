// Ice on a pane, drawn: feathery crystals that grow from random points over a thin film.
import type { ImageRandom } from "./corruption.js";
import { gaussianBlur } from "./filter.js";
import { clouds } from "./plasma.js";

interface Needle {
  readonly y: number;
  readonly x: number;
  /** Radians. */
  readonly angle: number;
  /** Pixels. */
  readonly length: number;
}

const nuclei = 7;
const needles = 48;
/** Crystals branch at 60°. */
const branchAngle = Math.PI / 3;

/** Brightens `ice` along a needle that fades towards its tip. */
function draw(ice: Float64Array, { y, x, angle, length }: Needle, height: number, width: number): void {
  for (let t = 0; t <= length; t += 0.5) {
    const row = Math.round(y + t * Math.sin(angle));
    const column = Math.round(x + t * Math.cos(angle));
    if (row < 0 || row >= height || column < 0 || column >= width) continue;
    const i = row * width + column;
    ice[i] = Math.max(ice[i] ?? 0, 1 - (0.6 * t) / length);
  }
}

/** Needles of one crystal: a stem and branches to both sides that shorten towards its tip. */
function feather(stem: Needle, spacing: number): Needle[] {
  const count = Math.max(2, Math.round(stem.length / spacing));
  const branches = Array.from({ length: count }, (_, i): Needle[] => {
    const share = (i + 0.5) / count;
    const [y, x] = [
      stem.y + share * stem.length * Math.sin(stem.angle),
      stem.x + share * stem.length * Math.cos(stem.angle),
    ];
    return [-branchAngle, branchAngle].map((turn) => ({
      ...{ y, x, angle: stem.angle + turn, length: 0.4 * stem.length * (1 - share) },
    }));
  });
  return [stem, ...branches.flat()];
}

/** Brightness of the ice [height, width] in [0, 1], its size in proportion to the image's. */
export function crystals(height: number, width: number, random: ImageRandom): Float64Array {
  const side = Math.max(height, width);
  const film = clouds(height, width, { decay: 1.5, random });
  const places = random.uniform(3 * nuclei);
  const draws = random.uniform(2 * needles);
  const ice = new Float64Array(height * width);
  for (let i = 0; i < needles; i++) {
    const nucleus = 3 * (i % nuclei);
    const [y = 0, x = 0, turn = 0] = places.subarray(nucleus, nucleus + 3);
    // Stems leave a nucleus at multiples of 60°, give or take a little.
    const sixth = Math.floor(i / nuclei) + turn + 0.3 * ((draws[2 * i] ?? 0) - 0.5);
    const length = side * (0.12 + 0.33 * (draws[2 * i + 1] ?? 0));
    const stem = { y: y * height, x: x * width, angle: sixth * branchAngle, length };
    for (const needle of feather(stem, Math.max(3, side / 40))) draw(ice, needle, height, width);
  }
  const soft = gaussianBlur({ values: ice, height, width }, 0.4 + side / 400);
  return film.map((v, i) => Math.min(1, 0.34 + 0.35 * v + 0.4 * (soft[i] ?? 0)));
}
