// Resampling along one axis as weights of the elements that each result is made of (ONNX Resize).
import { check, fail } from "../base/errors.js";
import type { Call } from "./call.js";

export interface Resampling {
  /** How many results there are. */
  readonly size: number;
  /** Weights [length, size]. */
  readonly weights: Float32Array;
  /** The element that each result is, where each is one; else null. */
  readonly indices: readonly number[] | null;
}

type Position = (at: number, size: number, length: number, scale: number) => number;

/** Where result `at` of `size` lies among `length` elements. */
const positions: Readonly<Record<string, Position>> = {
  half_pixel: (at, _size, _length, scale) => (at + 0.5) / scale - 0.5,
  half_pixel_symmetric: (at, size, length, scale) => {
    const centre = (length / 2) * (1 - size / (scale * length));
    return centre + (at + 0.5) / scale - 0.5;
  },
  pytorch_half_pixel: (at, size, _length, scale) => (size > 1 ? (at + 0.5) / scale - 0.5 : 0),
  align_corners: (at, _size, length, scale) =>
    length * scale > 1 ? (at * (length - 1)) / (length * scale - 1) : 0,
  asymmetric: (at, _size, _length, scale) => at / scale,
};

/** Which of two neighbours a position takes. */
const roundings: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

const triangle = (x: number): number => Math.max(0, 1 - Math.abs(x));

/** The cubic kernel with parameter a (Keys 1981). */
const cubic =
  (a: number) =>
  (x: number): number => {
    const d = Math.abs(x);
    if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
  };

interface Kernel {
  readonly value: (x: number) => number;
  /** How far it reaches to each side. */
  readonly reach: number;
}

function choice<T>(call: Call, name: string, otherwise: string, known: Readonly<Record<string, T>>): T {
  const given = call.text(name, otherwise);
  return known[given] ?? fail(`attribute '${name}'`, "a known mode", given, Object.keys(known).join(", "));
}

/** Adds the weights of one result to its column. */
function spread(
  column: (element: number, weight: number) => void,
  at: number,
  length: number,
  { value, reach }: Kernel,
  excludeOutside: boolean,
): void {
  const first = Math.floor(at - reach) + 1;
  const taps = Array.from({ length: Math.ceil(2 * reach) + 1 }, (_, i) => first + i);
  const weights = taps.map((tap) => (excludeOutside && (tap < 0 || tap >= length) ? 0 : value(tap - at)));
  const total = weights.reduce((a, b) => a + b, 0);
  taps.forEach((tap, i) => column(Math.min(Math.max(tap, 0), length - 1), (weights[i] ?? 0) / total));
}

/** Where the result lies before operator set 11, and the mode of those without a choice. */
const oldPositions = (call: Call): string => (call.opset < 11 ? "asymmetric" : "half_pixel");

/** How `length` elements become `size`, default ⌊length·scale⌋. */
export function resamplingOf(call: Call, length: number, scale: number, given: number | null): Resampling {
  const size = given ?? Math.floor(length * scale);
  check(size >= 1 && size <= 2 ** 16 && length * size <= 2 ** 24, "size", "1 to 65536", () => String(size));
  const position = choice(call, "coordinate_transformation_mode", oldPositions(call), positions);
  const places = Array.from({ length: size }, (_, at) => position(at, size, length, scale));
  const mode = call.text("mode", "nearest");
  if (mode === "nearest") {
    const rounding = choice(
      call,
      "nearest_mode",
      call.opset < 11 ? "floor" : "round_prefer_floor",
      roundings,
    );
    const indices = places.map((at) => Math.min(Math.max(rounding(at), 0), length - 1));
    return { size, indices, weights: new Float32Array() };
  }
  const kernels: Readonly<Record<string, Kernel>> = {
    linear: { value: triangle, reach: 1 },
    cubic: { value: cubic(call.float("cubic_coeff_a", -0.75)), reach: 2 },
  };
  const kernel = choice(call, "mode", "nearest", kernels);
  const stretch = call.int("antialias", 0) !== 0 ? Math.max(1, 1 / scale) : 1;
  const wide = { value: (x: number) => kernel.value(x / stretch), reach: kernel.reach * stretch };
  const weights = new Float32Array(length * size);
  const exclude = call.int("exclude_outside", 0) !== 0;
  places.forEach((at, i) => {
    const add = (element: number, weight: number): void => {
      weights[element * size + i] = (weights[element * size + i] ?? 0) + weight;
    };
    spread(add, at, length, wide, exclude);
  });
  return { size, indices: null, weights };
}
