import { describe, expect, it } from "vitest";
import { randomStream, threefry } from "../../src/base/random.js";

const words = (key: readonly number[], counter: readonly number[]): string[] =>
  [...threefry(key, counter)].map((word) => word.toString(16).padStart(8, "0"));

describe("Threefry-4x32-20", () => {
  // Known answers published with Random123 (Salmon et al. 2011).
  it.each([
    [[0, 0, 0, 0], [0, 0, 0, 0], "9c6ca96a e17eae66 fc10ecd4 5256a7d8"],
    [[-1, -1, -1, -1], [-1, -1, -1, -1], "2a881696 57012287 f6c7446e a16a6732"],
    [
      [0xa4093822, 0x299f31d0, 0x082efa98, 0xec4e6c89],
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      "59cd1dbb b8879579 86b5d00c ac8b6d84",
    ],
  ])("gives the published words for key %j and counter %j", (key, counter, expected) => {
    expect(words(key, counter).join(" ")).toBe(expected);
  });
});

describe("a random stream", () => {
  const at = { sample: 5, round: 2, iteration: 1 };

  it("gives the same numbers at the same position, whatever was drawn before", () => {
    const [a, b] = [new Float32Array(7), new Float32Array(7)];
    const stream = randomStream(3, "noise");
    stream.uniform(new Float32Array(100), { sample: 1 });
    stream.uniform(a, at);
    randomStream(3, "noise").uniform(b, at);
    expect(a).toEqual(b);
  });

  it.each([
    ["seed", 4, "noise", at],
    ["name", 3, "other", at],
    ["sample", 3, "noise", { ...at, sample: 6 }],
    ["round", 3, "noise", { ...at, round: 3 }],
    ["iteration", 3, "noise", { ...at, iteration: 2 }],
    ["sample beyond 32 bits", 3, "noise", { ...at, sample: 5 + 2 ** 32 }],
  ])("gives other numbers under another %s", (_, seed, name, position) => {
    const [a, b] = [new Uint32Array(4), new Uint32Array(4)];
    randomStream(3, "noise").words(a, at);
    randomStream(seed, name).words(b, position);
    expect(a).not.toEqual(b);
  });

  it("is a prefix of a longer draw at the same position", () => {
    const [short, long] = [new Uint32Array(5), new Uint32Array(50)];
    randomStream(0, "x").words(short, at);
    randomStream(0, "x").words(long, at);
    expect(long.subarray(0, 5)).toEqual(short);
  });

  it("has the moments of its distributions", () => {
    const n = 100_000;
    const values = new Float32Array(n);
    const mean = (f: (x: number) => number): number => values.reduce((total, x) => total + f(x), 0) / n;
    randomStream(0, "uniform").uniform(values, { sample: 0 }, [-1, 3]);
    expect(mean((x) => x)).toBeCloseTo(1, 1);
    expect(Math.min(...values.subarray(0, 1000))).toBeGreaterThanOrEqual(-1);
    randomStream(0, "normal").normal(values, { sample: 0 });
    expect(mean((x) => x)).toBeCloseTo(0, 1);
    expect(mean((x) => x * x)).toBeCloseTo(1, 1);
    expect(mean((x) => x ** 4)).toBeCloseTo(3, 0);
  });

  it.each([0.5, 0.3])("draws ones with probability %d", (p) => {
    const bits = new Uint8Array(100_000);
    randomStream(0, "bits").bernoulli(bits, { sample: 0 }, p);
    expect(bits.reduce((a, b) => a + b, 0) / bits.length).toBeCloseTo(p, 2);
  });

  it.each([0, 1, 2, 3])("draws the same bits into memory that begins %d bytes in", (offset) => {
    const [plain, shifted] = [new Uint8Array(101), new Uint8Array(new ArrayBuffer(120), offset, 101)];
    randomStream(0, "bits").bernoulli(plain, at, 0.5);
    randomStream(0, "bits").bernoulli(shifted, at, 0.5);
    expect([...shifted]).toEqual([...plain]);
  });

  it("permutes every index once", () => {
    const order = randomStream(0, "order").permutation(1000, { sample: 0 });
    expect(new Set(order).size).toBe(1000);
    expect([...order.subarray(0, 5)]).not.toEqual([0, 1, 2, 3, 4]);
  });
});
