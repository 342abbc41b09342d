// Values of the published scripts (github.com/hendrycks/robustness, with Pillow 13, OpenCV 5, SciPy 1.17) on one image.
import { describe, expect, it } from "vitest";
import { turnHue } from "../../src/corruptions/color.js";
import { corrupt } from "../../src/corruptions/corrupt.js";
import * as registry from "../../src/corruptions/index.js";
import { jpegGray } from "../../src/corruptions/jpeg.js";
import { motionBlurred } from "../../src/corruptions/motion.js";

/** A jagged image of bytes. */
const bytes = (channels: number, side: number): Float32Array =>
  Float32Array.from({ length: channels * side * side }, (_, i) => {
    const [c, y, x] = [Math.floor(i / (side * side)), Math.floor(i / side) % side, i % side];
    return (37 * y + 11 * x * (c + 1) + 5 * x * y + 29 * c) % 256;
  });

const places = [
  [0, 0, 0],
  [0, 7, 30],
  [1, 31, 5],
  [1, 16, 16],
  [2, 15, 31],
  [2, 31, 31],
] as const;

const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((a, b) => a + b, 0) / values.length;

describe("on an image of 32 pixels", () => {
  it.each<[keyof typeof registry, number, number[], number]>([
    ["defocus-blur", 1, [0.015333, 0.405559, 0.146429, 0.729379, 0.443574, 0.509901], 0.497491],
    ["defocus-blur", 5, [0.134205, 0.515468, 0.446623, 0.580828, 0.415251, 0.382135], 0.498221],
    ["zoom-blur", 1, [0, 0.312855, 0.447066, 0.78039, 0.464874, 0.328762], 0.497387],
    ["zoom-blur", 5, [0.268119, 0.462801, 0.551103, 0.763367, 0.450061, 0.406889], 0.497962],
    ["brightness", 1, [0, 0.428922, 0.054494, 0.853922, 0.515114, 0.515114], 0.52763],
    ["brightness", 5, [0, 0.5, 0.07027, 1, 0.718134, 0.718134], 0.619704],
    ["contrast", 1, [0.124265, 0.427206, 0.160539, 0.725245, 0.482353, 0.482353], 0.497386],
    ["contrast", 5, [0.4225, 0.483088, 0.42348, 0.536422, 0.501176, 0.501176], 0.497386],
    ["pixelate", 3, [0, 0.403922, 0.05098, 0.630392, 0.34902, 0.47451], 0.497386],
    ["jpeg-compression", 1, [0.039216, 0.690196, 0.176471, 0.643137, 0.184314, 0.290196], 0.497188],
    ["jpeg-compression", 5, [0.035294, 0.505882, 0.207843, 0.47451, 0.184314, 0.317647], 0.497682],
  ])("%s at severity %i", (name, severity, expected, average) => {
    const image = bytes(3, 32).map((v) => v / 255);
    const out = corrupt(registry[name], image, { imageShape: [3, 32, 32], indices: [0], severity });
    places.forEach(([c, y, x], i) => expect(out[(c * 32 + y) * 32 + x]).toBeCloseTo(expected[i] ?? NaN, 4));
    expect(mean(out)).toBeCloseTo(average, 5);
  });

  it("motion blur of radius 6 and σ 2 at 30°, as the package imagecorruptions has it", () => {
    const plane = { values: bytes(3, 32).subarray(0, 1024), height: 32, width: 32 };
    const out = motionBlurred(plane, { radius: 6, sigma: 2, angle: 30 });
    const at = [0, 7 * 32 + 30, 31 * 32 + 5, 16 * 32 + 16, 1023].map((i) => (out[i] ?? NaN) / 255);
    [0.140058, 0.417764, 0.465907, 0.223764, 0.584314].forEach((v, i) => expect(at[i]).toBeCloseTo(v, 5));
    expect(mean(out) / 255).toBeCloseTo(0.498162, 5);
  });
});

describe("jpeg", () => {
  it("of a grey image whose sides are no multiples of 8 gives Pillow's bytes", () => {
    const out = jpegGray({ values: bytes(1, 28), height: 28, width: 28 }, 40);
    const at = [0, 7 * 28 + 20, 27 * 28 + 5, 783, 13 * 28 + 14].map((i) => out[i]);
    expect(at).toEqual([0, 159, 190, 80, 4]);
    expect(mean(out) * 784).toBeCloseTo(99830, 6);
  });
});

describe("turnHue", () => {
  it.each([
    [[1, 0, 0], 1 / 3, [0, 1, 0]],
    [[0.2, 0.4, 0.8], 1 / 3, [0.8, 0.2, 0.4]],
    [[0.2, 0.4, 0.8], -1 / 3, [0.4, 0.8, 0.2]],
    [[0.2, 0.4, 0.8], 0.5, [0.8, 0.6, 0.2]],
    [[0.5, 0.5, 0.5], 0.2, [0.5, 0.5, 0.5]],
  ])("%j by %d is %j", ([r = 0, g = 0, b = 0], turns, expected) => {
    turnHue([r, g, b], turns).forEach((v, i) => expect(v).toBeCloseTo(expected[i] ?? NaN, 6));
  });
});
