// NumPy's archives: what NumPy itself wrote is read to the number; everything else is refused in one line.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { ImageSet } from "../../src/data/image-set.js";
import { openNpz, type NpzOptions } from "../../src/data/npz.js";

const arrays = join(import.meta.dirname, "../fixtures/arrays");
const open = (name: string, options: NpzOptions = { imageShape: [3, 2, 5] }): Promise<ImageSet> =>
  openNpz(join(arrays, `${name}.npz`), options);

const scratch = mkdtempSync(join(tmpdir(), "temper-npz-"));
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

/** A file of its own with `change` made to the bytes of `name`. */
function changed(name: string, change: (bytes: Uint8Array) => Uint8Array): string {
  const path = join(scratch, `${Math.random()}.npz`);
  writeFileSync(path, change(Uint8Array.from(readFileSync(join(arrays, `${name}.npz`)))));
  return path;
}

/** Pixel bytes of the images at `indices`. */
const pixels = async (set: ImageSet, indices: readonly number[]): Promise<number[]> =>
  Array.from(await set.rows(indices), (v) => Math.round(v * 255));

/** What the fixtures hold at image i, as [channel, row, column]. */
const image = (i: number, channels = 3): number[] =>
  Array.from({ length: channels * 10 }, (_, at) => 40 * i + 20 * Math.floor(at / 10) + (at % 10));

describe("arrays that NumPy wrote", () => {
  it.each(["first", "last", "floats", "version2", "version3"])("%s.npz", async (name) => {
    const set = await open(name);
    expect(set).toMatchObject({ source: "npz", split: "all", imageShape: [3, 2, 5], classes: 3, count: 4 });
    expect([...Array.from(set.labels)]).toEqual([0, 2, 1, 2]);
    expect(await pixels(set, [2, 0, 3, 2])).toEqual([...image(2), ...image(0), ...image(3), ...image(2)]);
  });

  it("bytes are byte / 255 to the last bit, as a dataset's", async () => {
    const rows = await (await open("first")).rows([1]);
    expect(rows[3]).toBe(Math.fround(43 * (1 / 255)));
  });

  it("say their size themselves where no model does", async () => {
    expect((await open("first", {})).imageShape).toEqual([3, 2, 5]);
    expect((await open("last", {})).imageShape).toEqual([3, 2, 5]);
    expect((await open("floats", {})).imageShape).toEqual([1, 1, 30]);
  });

  it("may have parts", async () => {
    const grey = { imageShape: [1, 2, 5] } as const;
    const test = await open("parts", grey);
    expect(test).toMatchObject({ split: "test", count: 1 });
    expect(await pixels(test, [0])).toEqual(image(3, 1));
    const train = await open("parts", { ...grey, split: "train" });
    expect(train).toMatchObject({ split: "train", count: 3 });
    expect((await open("parts", { ...grey, preferred: "train" })).split).toBe("train");
    await expect(open("first", { split: "train" })).rejects.toThrow(
      "first.npz: expected arrays x_train and y_train, got x, y",
    );
  });

  it("of floats may have a range of their own", async () => {
    const set = await open("normalised", { imageShape: [3, 2, 5], range: [-2, 3.1] });
    expect(await pixels(set, [3])).toEqual(image(3));
  });

  it("know whether they have changed", async () => {
    expect((await open("first")).identity).toBe((await open("first")).identity);
    expect((await open("first")).identity).not.toBe((await open("last")).identity);
  });
});

describe("refusals name the array", () => {
  it.each<[string, NpzOptions, string]>([
    [
      "objects",
      {},
      "x: expected numbers (bool, int, uint, float32 or float64), got Python objects, which only Python can read",
    ],
    ["records", {}, "x: expected numbers (bool, int, uint, float32 or float64), got records"],
    ["half", {}, "x: expected numbers (bool, int, uint, float32 or float64), got type '<f2'"],
    [
      "big-endian",
      {},
      "x: expected little-endian numbers, got big-endian ones ('>f4'); in NumPy: x.astype('<f4')",
    ],
    ["fortran", {}, "x: expected rows first (C order), got Fortran order; in NumPy: np.ascontiguousarray(x)"],
    [
      "other-names",
      {},
      "other-names.npz: expected arrays x_test and y_test, or x and y, or images and labels, got data, target",
    ],
    [
      "first",
      { imageShape: [1, 4, 4] },
      "x: expected [n, 1, 4, 4] or [n, 4, 4, 1] or [n, 16], got [n, 3, 2, 5]",
    ],
    ["labels-out", { classes: 3 }, "y: expected labels from 0 to 2, got 3 at index 3"],
    ["labels-short", {}, "y: expected one label for each of 4 images, got [3]"],
    [
      "normalised",
      {},
      "x: expected values in [0, 1], got -2 at image 0; say what black and white are with range, and give images before mean and std",
    ],
    [
      "first",
      { classes: 3, classNames: ["a", "b"] },
      "first.npz: expected 3 class names, one for each of the model's outputs, got 2",
    ],
    [
      "first",
      { classes: 3, classNames: ["a", "b", "a"] },
      "first.npz: expected different class names, got 'a' twice",
    ],
  ])("%s %j", async (name, options, message) => {
    await expect(open(name, options)).rejects.toThrow(message);
  });

  it("labels as images", async () => {
    const path = changed("first", (bytes) => {
      const text = Buffer.from(bytes)
        .toString("latin1")
        .replaceAll("x.npy", "q.npy")
        .replaceAll("y.npy", "x.npy");
      return Buffer.from(text.replaceAll("q.npy", "y.npy"), "latin1");
    });
    await expect(openNpz(path, {})).rejects.toThrow("x: expected uint8, float32 or float64, got type 'i8'");
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array, string | RegExp]>([
    ["nothing", () => new Uint8Array(), "expected a ZIP archive, got an empty file"],
    [
      "text",
      () => new TextEncoder().encode("x,y\n1,2\n3,4\n5,6\n7,8\n9,0\n"),
      "expected a ZIP archive, got another file",
    ],
    [
      "half a file",
      (bytes) => bytes.subarray(0, 300),
      "expected a whole ZIP archive, got a damaged one (no central directory)",
    ],
    [
      "a flipped byte",
      (bytes) => bytes.with(200, 255 - (bytes[200] ?? 0)),
      "x.npy: expected the bytes that were packed, got damaged ones (their checksum differs)",
    ],
  ])("%s", async (_, change, message) => {
    await expect(openNpz(changed("first", change), {})).rejects.toThrow(message);
  });

  it("a flipped byte where it is deflated", async () => {
    const path = changed("last", (bytes) => bytes.with(60, 255 - (bytes[60] ?? 0)));
    await expect(openNpz(path, {})).rejects.toThrow(
      /expected (a whole ZIP archive|the bytes that were packed), got (a )?damaged/,
    );
  });

  it("no file", async () => {
    await expect(openNpz(join(scratch, "none.npz"), {})).rejects.toThrow(
      "none.npz: expected a file that can be read, got ENOENT",
    );
  });
});
