// MAT-files: every type of numbers, both byte orders, SVHN's layout, and files that are not what they should be.
// test/fixtures/make_mat.py wrote the fixtures with SciPy.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { TemperError } from "../../src/base/errors.js";
import type { LoadedFile } from "../../src/data/dataset.js";
import { svhn } from "../../src/data/datasets/svhn.js";
import { readMat } from "../../src/data/mat.js";

const fixtures = join(import.meta.dirname, "..", "fixtures");
const fixture = (...names: string[]): LoadedFile => ({
  path: names.at(-1) ?? "",
  bytes: new Uint8Array(readFileSync(join(fixtures, ...names))),
});
const kinds = fixture("mat", "kinds.mat");
const file = (bytes: Uint8Array): LoadedFile => ({ path: "f.mat", bytes });

interface Written {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
  /** Whether each is a float64 in place of a byte, the array a logical one, or an object, which has no sizes. */
  readonly kind?: "double" | "logical" | "object";
}

/** Bytes of a MAT-file of arrays in a byte order; what MATLAB keeps beside the name is left out. */
function written(arrays: readonly Written[], little: boolean): Uint8Array {
  const bytes: number[] = [...Buffer.from("MATLAB 5.0 MAT-file".padEnd(124))];
  const word = (value: number): void => {
    const four = [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
    bytes.push(...(little ? four : four.reverse()));
  };
  const element = (type: number, fill: () => void): void => {
    word(type);
    const at = bytes.length;
    word(0);
    fill();
    const size = bytes.length - at - 4;
    const saved = bytes.splice(at);
    word(size);
    bytes.push(...saved.slice(4));
    while (bytes.length % 8 !== 0) bytes.push(0);
  };
  bytes.push(...(little ? [0, 1, 0x49, 0x4d] : [1, 0, 0x4d, 0x49]));
  const double = (value: number): void => {
    const eight = Buffer.alloc(8);
    if (little) eight.writeDoubleLE(value);
    else eight.writeDoubleBE(value);
    for (const byte of eight) bytes.push(byte);
  };
  const flags = { double: 6, logical: 0x209, object: 17, byte: 9 };
  for (const { name, shape, values, kind } of arrays)
    element(14, () => {
      element(6, () => [flags[kind ?? "byte"], 0].forEach(word));
      if (kind !== "object") element(5, () => shape.forEach(word));
      element(1, () => bytes.push(...Buffer.from(name)));
      if (kind === "double") element(9, () => values.forEach(double));
      else element(2, () => bytes.push(...values));
    });
  return Uint8Array.from(bytes);
}

const digits = (count: number, labels: readonly number[], side = 32): Written[] => [
  { name: "X", shape: [side, 32, 3, count], values: new Array<number>(side * 96 * count).fill(7) },
  { name: "y", shape: [labels.length, 1], values: labels },
];

/** What SVHN's reader makes of a training file. */
const train = (bytes: Uint8Array) =>
  svhn.read((name) => (name.startsWith("train") ? file(bytes) : fixture("datasets", "svhn", name))).train;

describe("readMat", () => {
  it.each(["int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64", "int64", "uint64"])(
    "reads %s, the first index fastest",
    (kind) => {
      const array = readMat(kinds, [`a_${kind}`]).get(`a_${kind}`);
      expect(array?.shape).toEqual([2, 3, 4]);
      const wanted = Array.from({ length: 24 }, (_, at) => {
        const [i, j, k] = [at % 2, Math.floor(at / 2) % 3, Math.floor(at / 6)];
        return 12 * i + 4 * j + k;
      });
      expect(Array.from(array?.data ?? [])).toEqual(wanted);
    },
  );

  it("reads either byte order", () => {
    const arrays = [{ name: "a", shape: [2, 1], values: [3, 200] }];
    const read = (little: boolean) => readMat(file(written(arrays, little)), ["a"]).get("a");
    expect(read(false)).toEqual({ shape: [2, 1], data: Uint8Array.from([3, 200]) });
    expect(read(true)).toEqual(read(false));
  });

  it.each([
    ["text", "kinds.mat: text: expected an array of numbers, got a character array"],
    ["cells", "kinds.mat: cells: expected an array of numbers, got a cell array"],
    ["z", "kinds.mat: z: expected an array of numbers, got complex ones"],
    ["nothing", "kinds.mat: expected the arrays nothing, got no nothing"],
  ])("refuses %s", (name, message) => {
    expect(() => readMat(kinds, [name])).toThrow(message);
  });

  const hdf5 = Buffer.from("MATLAB 7.3 MAT-file, Platform: GLNXA64".padEnd(600));
  const level = "a MAT-file of level 5 (MATLAB's -v6 or -v7)";
  it.each([
    [
      "HDF5",
      file(hdf5),
      `f.mat: expected ${level}, got one of version 7.3, which is HDF5; in MATLAB: save -v7`,
    ],
    [
      "level 4",
      fixture("mat", "level-4.mat"),
      `level-4.mat: expected ${level}, got one of level 4, or another file`,
    ],
    ["a text", file(Buffer.from("<html>".padEnd(300))), `f.mat: expected ${level}, got another file`],
    ["nothing", file(new Uint8Array()), `f.mat: expected ${level}, got another file`],
  ])("refuses a file that is %s", (_, given, message) => {
    expect(() => readMat(given, ["X"])).toThrow(message);
  });

  it.each(["train_32x32.mat", "test_32x32.mat"])("refuses %s cut short anywhere, or damaged", (name) => {
    const { path, bytes } = fixture("datasets", "svhn", name);
    const message = `${path}: expected a whole MAT-file, got one that is cut short or damaged`;
    const read = (given: Uint8Array) => () => readMat({ path, bytes: given }, ["X", "y"]);
    for (const length of [132, 140, 300, bytes.length - 5])
      expect(read(bytes.subarray(0, length))).toThrow(message);
    expect(read(bytes.subarray(0, 128))).toThrow(`${path}: expected the arrays X and y, got no X`);
    if (name.startsWith("train")) expect(read(bytes.with(200, (bytes[200] ?? 0) ^ 255))).toThrow(message);
  });

  it("throws one line whatever byte of a header is wrong", () => {
    const bytes = written([{ name: "a", shape: [2, 1], values: [3, 200] }], true);
    const refusals = Array.from({ length: 9 * (bytes.length - 128) }, (_, i) => {
      const value = [0, 1, 4, 5, 9, 15, 127, 128, 255][i % 9] ?? 0;
      try {
        readMat(file(bytes.with(128 + Math.floor(i / 9), value)), ["a"]);
        return [];
      } catch (error) {
        return [error];
      }
    }).flat();
    expect(refusals.length).toBeGreaterThan(100);
    expect(refusals.filter((error) => !(error instanceof TemperError))).toEqual([]);
  });

  it("passes over objects, which have no sizes, and refuses one by its name", () => {
    const strings = written([{ name: "s", shape: [], values: [], kind: "object" }], true).subarray(128);
    const array = written([{ name: "a", shape: [2, 1], values: [3, 200] }], true);
    const both = file(Buffer.concat([array.subarray(0, 128), strings, array.subarray(128)]));
    expect(readMat(both, ["a"]).get("a")?.shape).toEqual([2, 1]);
    expect(() => readMat(both, ["s"])).toThrow(
      "f.mat: s: expected an array of numbers, got a function or an object",
    );
  });
});

describe("SVHN", () => {
  it("has rows before columns, planes of colours, and 10 for the digit 0", () => {
    const source = fixture("datasets", "svhn", "test_32x32.mat");
    const pixels = readMat(source, ["X"]).get("X")?.data;
    const { images, labels, count } = train(source.bytes);
    expect([count, ...labels]).toEqual([4, 6, 7, 8, 9]);
    for (const [image, channel, y, x] of [
      [0, 0, 0, 9],
      [1, 2, 17, 30],
      [3, 1, 31, 0],
    ] as const)
      expect(images[((image * 3 + channel) * 32 + y) * 32 + x]).toBe(
        pixels?.[((image * 3 + channel) * 32 + x) * 32 + y],
      );
    expect([...train(fixture("datasets", "svhn", "train_32x32.mat").bytes).labels]).toEqual([
      6, 7, 8, 9, 0, 1,
    ]);
  });

  it("may hold a single image, whose last axis MATLAB drops", () => {
    const [X, y] = digits(1, [10]) as [Written, Written];
    const one = train(written([{ ...X, shape: [32, 32, 3] }, y], true));
    expect([one.count, ...one.labels]).toEqual([1, 0]);
  });

  const changed = (kind: Written["kind"], value: number): Written[] => {
    const [X, y] = digits(1, [4]) as [Written, Written];
    return [{ ...X, ...(kind && { kind }), values: X.values.with(5, value) }, y];
  };

  it("may hold pixels as numbers of any kind that are whole and in range", () => {
    expect(train(written(changed("double", 250), false))).toEqual(
      train(written(changed(undefined, 250), true)),
    );
  });

  it.each([
    [changed("double", 0.5), "f.mat: X: expected whole numbers from 0 to 255, got 0.5 at index 5"],
    [changed("double", -1), "f.mat: X: expected whole numbers from 0 to 255, got -1 at index 5"],
    [changed("double", 256), "f.mat: X: expected whole numbers from 0 to 255, got 256 at index 5"],
    [changed("double", NaN), "f.mat: X: expected whole numbers from 0 to 255, got NaN at index 5"],
    [changed("logical", 1), "f.mat: X: expected an array of numbers, got a logical array"],
    [digits(2, [1, 2], 31), "f.mat: X: expected images 32×32×3×N, got 31×32×3×2"],
    [digits(2, [1, 2, 3]), "f.mat: y: expected 2 labels, one for each image, got 3"],
    [digits(2, [1, 11]), "f.mat: y: expected labels from 1 to 10, got 11 at index 1"],
    [digits(2, [0, 1]), "f.mat: y: expected labels from 1 to 10, got 0 at index 0"],
    [digits(2, [1, 2]).slice(0, 1), "f.mat: expected the arrays X and y, got no y"],
  ])("refuses other arrays (%#)", (arrays, message) => {
    expect(() => train(written(arrays, true))).toThrow(message);
  });
});
