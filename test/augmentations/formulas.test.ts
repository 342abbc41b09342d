// Each augmentation against its formula written out by hand, for the numbers that were drawn.
import { describe, expect, it } from "vitest";
import * as augmentations from "../../src/augmentations/index.js";
import type { ImageShape } from "../../src/data/dataset.js";
import { asLinearMap, augmentedImages, imageSplit } from "../support/augmented.js";

const shape: ImageShape = [1, 9, 7];
const [height, width] = [9, 7];
const image = Float64Array.from({ length: height * width }, (_, i) => Math.sin(i * 1.3) + 2);

type Pixel = (y: number, x: number) => number;
const zeroBeyond: Pixel = (y, x) =>
  y >= 0 && y < height && x >= 0 && x < width ? (image[y * width + x] ?? NaN) : 0;
const mirror = (i: number, n: number): number => (i < 0 ? -1 - i : i >= n ? 2 * n - 1 - i : i);
const mirrored: Pixel = (y, x) => zeroBeyond(mirror(y, height), mirror(x, width));

function bilinear(y: number, x: number, pixel: Pixel = zeroBeyond): number {
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const row = (at: number): number => (left + 1 - x) * pixel(at, left) + (x - left) * pixel(at, left + 1);
  return (top + 1 - y) * row(top) + (y - top) * row(top + 1);
}

const expectImage = (actual: Float64Array, expected: Pixel): void =>
  actual.forEach((v, i) => expect(v).toBeCloseTo(expected(Math.floor(i / width), i % width), 5));

describe("one image", () => {
  it("elastic: read along α · Gauss ∗ U(−1, 1), cut off at 4σ, zeros beyond the image", () => {
    const map = asLinearMap(augmentations.elastic({ alpha: 11, sigma: 1.5 }), shape, 1);
    const field = map.noise["noise/field"]?.data ?? new Float64Array();
    const taps = Array.from({ length: 13 }, (_, i) => Math.exp(-((i - 6) ** 2) / (2 * 1.5 ** 2)));
    const total = taps.reduce((a, b) => a + b, 0);
    const pull = (axis: number, y: number, x: number): number => {
      let sum = 0;
      for (let r = 0; r < height; r++)
        for (let c = 0; c < width; c++) {
          const weight = ((taps[6 + r - y] ?? 0) / total) * ((taps[6 + c - x] ?? 0) / total);
          sum += weight * (2 * (field[axis * height * width + c * height + r] ?? NaN) - 1);
        }
      return 11 * sum;
    };
    expectImage(map.apply(image), (y, x) => bilinear(y + pull(0, y, x), x + pull(1, y, x)));
  });

  it("pad-and-crop: a shift by whole pixels, zeros or the mirror image beyond the edge", () => {
    for (const [edge, pixel] of [
      ["zero", zeroBeyond],
      ["reflect", mirrored],
    ] as const) {
      const map = asLinearMap(augmentations["pad-and-crop"]({ pixels: 3, edge }), shape, 1);
      const shift = (name: string): number => Math.floor((map.noise[name]?.data[0] ?? NaN) * 7) - 3;
      const [down, right] = [shift("noise/down"), shift("noise/right")];
      expect(Math.abs(down) + Math.abs(right)).toBeGreaterThan(0);
      expectImage(map.apply(image), (y, x) => pixel(y + down, x + right));
    }
  });

  it("horizontal-flip: columns from the right", () => {
    const map = asLinearMap(augmentations["horizontal-flip"]({ p: 1 }), shape, 1);
    expect(map.apply(image)).toEqual(
      image.map((_, i) => zeroBeyond(Math.floor(i / width), width - 1 - (i % width))),
    );
  });

  it("rotation: about the middle, by up to so many degrees", () => {
    const map = asLinearMap(augmentations.rotation({ degrees: 40 }), shape, 1);
    const angle = ((2 * (map.noise["noise/angle"]?.data[0] ?? NaN) - 1) * 40 * Math.PI) / 180;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    expectImage(map.apply(image), (y, x) => {
      const [down, right] = [y - 4, x - 3];
      return bilinear(4 + down * c - right * s, 3 + down * s + right * c);
    });
  });

  it("zoom: about the middle, by a factor between low and high", () => {
    const map = asLinearMap(augmentations.zoom({ low: 0.7, high: 1.6 }), shape, 1);
    const factor = 0.7 + 0.9 * (map.noise["noise/factor"]?.data[0] ?? NaN);
    expectImage(map.apply(image), (y, x) => bilinear(4 + (y - 4) / factor, 3 + (x - 3) / factor));
  });
});

describe("windows", () => {
  const stretched = (top: number, left: number, tall: number, wide: number): Pixel => {
    const within = (i: number, n: number, length: number): number =>
      Math.min(length - 1, Math.max(0, ((i + 0.5) * length) / n - 0.5));
    const held = (y: number, x: number): number =>
      zeroBeyond(Math.min(y, top + tall - 1), Math.min(x, left + wide - 1));
    return (y, x) => bilinear(top + within(y, height, tall), left + within(x, width, wide), held);
  };

  it("five-crop: a corner or the middle, stretched over the image", () => {
    const crop = augmentations["five-crop"]({ side: 0.6 });
    const batch = 24;
    const map = asLinearMap(crop, shape, batch);
    const images = Float64Array.from(
      { length: batch * image.length },
      (_, i) => image[i % image.length] ?? 0,
    );
    const out = map.apply(images);
    const corners = [
      [0, 0],
      [0, 3],
      [4, 0],
      [4, 3],
      [2, 2],
    ] as const;
    const drawn = Array.from(map.noise["noise/crop"]?.data ?? [], (u) => Math.floor(5 * u));
    expect(new Set(drawn).size).toBe(5);
    drawn.forEach((at, n) => {
      const [top, left] = corners[at] ?? [NaN, NaN];
      expectImage(out.slice(n * image.length, (n + 1) * image.length), stretched(top, left, 5, 4));
    });
  });

  it("random-resized-crop: the first of ten windows that fits, anywhere, stretched; the whole image where none does", () => {
    const batch = 12;
    const crop = augmentations["random-resized-crop"]({ low: 0.6, high: 1, aspect: 4 });
    const map = asLinearMap(crop, shape, batch);
    const images = Float64Array.from(
      { length: batch * image.length },
      (_, i) => image[i % image.length] ?? 0,
    );
    const out = map.apply(images);
    const noise = (name: string): Float64Array => map.noise[`noise/${name}`]?.data ?? new Float64Array();
    let whole = 0;
    for (let n = 0; n < batch; n++) {
      const windows = Array.from({ length: 10 }, (_, i) => {
        const area = 0.6 + 0.4 * (noise("areas")[10 * n + i] ?? NaN);
        const ratio = 4 ** (2 * (noise("aspects")[10 * n + i] ?? NaN) - 1);
        return [
          Math.round(height * Math.sqrt(area / ratio)),
          Math.round(width * Math.sqrt(area * ratio)),
        ] as const;
      });
      const fits = windows.find(([tall, wide]) => tall <= height && wide <= width);
      const [tall, wide] = fits ?? [height, width];
      if (fits === undefined) whole++;
      const first = (axis: number, room: number): number =>
        Math.floor((noise("corner")[2 * n + axis] ?? NaN) * (room + 1));
      const expected = stretched(first(0, height - tall), first(1, width - wide), tall, wide);
      expectImage(out.slice(n * image.length, (n + 1) * image.length), expected);
    }
    expect(whole).toBeGreaterThan(0);
    expect(whole).toBeLessThan(batch);
  });
});

describe("colours", () => {
  const size: ImageShape = [3, 4, 5];
  const pixels = 20;
  const colors = Float64Array.from({ length: 3 * pixels }, (_, i) => 0.5 + 0.4 * Math.sin(i * 2.3));
  const luma = (image: Float64Array, i: number): number =>
    0.299 * (image[i] ?? NaN) + 0.587 * (image[pixels + i] ?? NaN) + 0.114 * (image[2 * pixels + i] ?? NaN);

  it("random-grayscale: three times the luma", () => {
    const out = asLinearMap(augmentations["random-grayscale"]({ p: 1 }), size, 1).apply(colors);
    out.forEach((v, i) => expect(v).toBeCloseTo(luma(colors, i % pixels), 6));
  });

  it("color-jitter: light, distance from the mean luma, distance from the luma, hue", () => {
    const strengths = { brightness: 0.3, contrast: 0.5, saturation: 0.7, hue: 0.2 };
    const map = asLinearMap(augmentations["color-jitter"](strengths), size, 1);
    const drawn = (name: keyof typeof strengths): number =>
      (2 * (map.noise[`noise/${name}`]?.data[0] ?? NaN) - 1) * strengths[name];
    const [b, c, s] = [1 + drawn("brightness"), 1 + drawn("contrast"), 1 + drawn("saturation")];
    const angle = 2 * Math.PI * drawn("hue");
    const out = map.apply(colors);
    const mean = Array.from({ length: pixels }, (_, i) => luma(colors, i)).reduce((x, y) => x + y) / pixels;
    for (let i = 0; i < pixels; i++) {
      const y = luma(colors, i);
      const [u, v] = [0.492 * ((colors[2 * pixels + i] ?? NaN) - y), 0.877 * ((colors[i] ?? NaN) - y)];
      const turned = {
        u: s * (u * Math.cos(angle) - v * Math.sin(angle)),
        v: s * (u * Math.sin(angle) + v * Math.cos(angle)),
      };
      const [red, blue] = [y + turned.v / 0.877, y + turned.u / 0.492];
      const green = (y - 0.299 * red - 0.114 * blue) / 0.587;
      [red, green, blue].forEach((value, channel) => {
        expect(out[channel * pixels + i]).toBeCloseTo(b * (c * value + (1 - c) * mean), 5);
      });
    }
  });

  it("color-jitter clips to the images' bounds after each of its steps", () => {
    const [rows, length] = [5, 3 * pixels];
    const images = Float64Array.from({ length: rows * length }, (_, i) => colors[i % length] ?? NaN);
    const options = { brightness: 1, contrast: 1, saturation: 0, hue: 0 };
    const jitter = augmentations["color-jitter"](options);
    const map = asLinearMap(jitter, size, rows, [0, 1]);
    const factor = (name: string, row: number): number => 2 * (map.noise[`noise/${name}`]?.data[row] ?? NaN);
    const out = map.apply(images);
    const clipped = (value: number): number => Math.min(Math.max(value, 0), 1);
    for (let row = 0; row < rows; row++) {
      const [b, c] = [factor("brightness", row), factor("contrast", row)];
      const lit = colors.map((value) => clipped(b * value));
      const mean = Array.from({ length: pixels }, (_, i) => luma(lit, i)).reduce((x, y) => x + y) / pixels;
      lit.forEach((value, i) => {
        expect(out[row * length + i]).toBeCloseTo(clipped(c * value + (1 - c) * mean), 5);
      });
    }
    expect(Math.max(...out)).toBe(1);
    expect(Math.max(...asLinearMap(jitter, size, rows).apply(images))).toBeGreaterThan(1.1);
  });

  it("color-jitter turns hues the way of the corruption: red, yellow, green", () => {
    const red = Float64Array.from({ length: 3 * pixels }, (_, i) => (i < pixels ? 1 : 0));
    const only = { brightness: 0, contrast: 0, saturation: 0, hue: 1 / 3 };
    const map = asLinearMap(augmentations["color-jitter"](only), size, 1);
    const turns = (2 * (map.noise["noise/hue"]?.data[0] ?? NaN) - 1) / 3;
    const out = map.apply(red);
    const [green = NaN, blue = NaN] = [out[pixels], out[2 * pixels]];
    expect(Math.abs(turns)).toBeGreaterThan(0.01);
    expect(Math.sign(green - blue)).toBe(Math.sign(turns));
  });

  it("of images that have none are refused", () => {
    expect(() => asLinearMap(augmentations["random-grayscale"]({}), shape, 1)).toThrow(
      "random-grayscale: expected images of 3 channels, got 1",
    );
    expect(() => asLinearMap(augmentations["color-jitter"]({}), [2, 4, 4], 1)).toThrow(
      "color-jitter: expected images of 1 or 3 channels, got 2",
    );
  });
});

describe("random-erasing", () => {
  const size: ImageShape = [3, 16, 16];
  const count = 400;
  const split = {
    ...imageSplit(1, size),
    images: new Uint8Array(count * 768).fill(255),
    labels: new Uint8Array(count),
    count,
  };
  const erase = (options: Parameters<(typeof augmentations)["random-erasing"]>[0]): Promise<Float32Array> =>
    augmentedImages([augmentations["random-erasing"](options)], split, size);

  it("overwrites one rectangle of the areas and aspects asked for, in a share p of the images", async () => {
    const images = await erase({ p: 0.3, low: 0.1, high: 0.3, aspect: 0.5, fill: [0.25, 0.5, 0.75] });
    const areas = Array.from({ length: count }, (_, n) => {
      const [red, green, blue] = [0, 1, 2].map((c) => images.slice((n * 3 + c) * 256, (n * 3 + c + 1) * 256));
      const erased = Array.from({ length: 256 }, (_, i) => i).filter((i) => red?.[i] === 0.25);
      expect(erased.filter((i) => green?.[i] !== 0.5 || blue?.[i] !== 0.75)).toEqual([]);
      if (erased.length === 0) return 0;
      const span = (values: readonly number[]): number => Math.max(...values) - Math.min(...values) + 1;
      const [tall, wide] = [span(erased.map((i) => Math.floor(i / 16))), span(erased.map((i) => i % 16))];
      expect(tall * wide).toBe(erased.length);
      // Sides are rounded to whole pixels.
      expect(tall / wide).toBeGreaterThan(0.4);
      expect(tall / wide).toBeLessThan(2.5);
      return erased.length / 256;
    });
    const some = areas.filter((area) => area > 0);
    expect(some.length / count).toBeGreaterThan(0.22);
    expect(some.length / count).toBeLessThan(0.38);
    expect(Math.min(...some)).toBeGreaterThan(0.07);
    expect(Math.max(...some)).toBeLessThan(0.34);
  });

  it("fills with random values on request, and refuses a list of another length", async () => {
    const images = await erase({ p: 1, fill: "random" });
    const filled = images.filter((v) => v !== 1);
    expect(filled.length / images.length).toBeGreaterThan(0.1);
    expect(new Set(filled).size).toBeGreaterThan(1000);
    await expect(erase({ fill: [0, 0] })).rejects.toThrow(
      "random-erasing.fill: expected 1 value or 3, got 2",
    );
  });
});

describe("several", () => {
  it("follow each other in their order, each with noise of its own", async () => {
    const split = imageSplit(6, [1, 28, 28]);
    const [flip, crop] = [
      augmentations["horizontal-flip"]({ p: 1 }),
      augmentations["pad-and-crop"]({ pixels: 9 }),
    ];
    const run = (...list: Parameters<typeof augmentedImages>[0]): Promise<Float32Array> =>
      augmentedImages(list, split, [1, 28, 28]);
    expect(await run(flip, flip)).toEqual(await run());
    expect(await run(crop, crop)).not.toEqual(await run(crop));
    expect(await run(flip, crop)).not.toEqual(await run(crop, flip));
  });
});

describe("options", () => {
  it.each([
    [() => augmentations.zoom({ low: 1.2, high: 1 }), "zoom.low: expected low ≤ high, got 1.2"],
    [
      () => augmentations["random-resized-crop"]({ low: 0.5, high: 0.4 }),
      "random-resized-crop.low: expected low ≤ high, got 0.5",
    ],
    [() => augmentations["random-erasing"]({ low: 0.5 }), "random-erasing.low: expected low ≤ high, got 0.5"],
    [
      () => augmentations["random-erasing"]({ fill: "noise" as never }),
      'random-erasing.fill: expected random, or a list of one value for each channel, got "noise"',
    ],
  ])("%# that make no sense are refused", (make, message) => {
    expect(make).toThrow(message);
  });
});
