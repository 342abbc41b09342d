// Folders of images: classes, order, memory, and what is refused.
import { encode } from "fast-png";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openImageFolder, type ImageFolderOptions } from "../../src/data/image-folder.js";
import type { ImageSet } from "../../src/data/image-set.js";

const scratch = mkdtempSync(join(tmpdir(), "temper-images-"));
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

/** A grey PNG of 2 × 2 that holds `value`. */
const png = (value: number): Uint8Array =>
  encode({ width: 2, height: 2, channels: 1, data: new Uint8Array(4).fill(value) });

let folders = 0;

/** A folder with files of the given bytes; `null` is an empty folder. */
function folder(files: Readonly<Record<string, Uint8Array | string | null>>): string {
  const root = join(scratch, `set${folders++}`);
  mkdirSync(root);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(root, content === null ? name : join(name, "..")), { recursive: true });
    if (content !== null) writeFileSync(join(root, name), content);
  }
  return root;
}

const plain: ImageFolderOptions = { imageShape: [1, 2, 2], geometry: { interpolation: "bilinear" } };
const open = (path: string, options: Partial<ImageFolderOptions> = {}): Promise<ImageSet> =>
  openImageFolder(path, { ...plain, ...options });

/** The value of each image, in the set's order. */
async function values(set: ImageSet): Promise<number[]> {
  const rows = await set.rows(Array.from({ length: set.count }, (_, i) => i));
  return Array.from({ length: set.count }, (_, i) => Math.round((rows[4 * i] ?? NaN) * 255));
}

/** Class k has sizes[k] images, of values 10·k, 10·k + 1, … */
const classesOf = (sizes: readonly number[]): string =>
  folder(
    Object.fromEntries(
      sizes.flatMap((size, k) =>
        Array.from({ length: size }, (_, i) => [`class${k}/${i}.png`, png(10 * k + i)]),
      ),
    ),
  );

describe("a folder of images", () => {
  it("has a class for each sub-folder, sorted by name, and every image once", async () => {
    const set = await open(classesOf([3, 1, 5]));
    expect(set).toMatchObject({ source: "folder", split: "all", classes: 3, count: 9, notes: [] });
    expect(set.classNames).toEqual(["class0", "class1", "class2"]);
    const found = await values(set);
    expect(Array.from(set.labels)).toEqual(found.map((v) => Math.floor(v / 10)));
    expect([...found].sort((a, b) => a - b)).toEqual([0, 1, 2, 10, 20, 21, 22, 23, 24]);
  });

  it("sorts upper case first and by code points, as Python does", async () => {
    const path = folder({ "é/1.png": png(1), "b/1.png": png(1), "Z/1.png": png(1) });
    expect((await open(path)).classNames).toEqual(["Z", "b", "é"]);
  });

  it("begins with one image of every class, then a second of each that has one, in a seeded order", async () => {
    const path = classesOf([3, 1, 5]);
    const found = await values(await open(path));
    const rounds = [
      found.slice(0, 3),
      found.slice(3, 5),
      found.slice(5, 7),
      found.slice(7, 8),
      found.slice(8),
    ];
    const byClass = rounds.map((round) => round.map((v) => Math.floor(v / 10)).sort());
    expect(byClass).toEqual([[0, 1, 2], [0, 2], [0, 2], [2], [2]]);
    expect(await values(await open(path))).toEqual(found);
    const orders = await Promise.all([1, 2, 3].map(async (seed) => values(await open(path, { seed }))));
    expect(new Set(orders.map(String)).size).toBeGreaterThan(1);
  });

  it("has classes in their shares in every beginning and every end, where that is asked for", async () => {
    const sizes = [30, 4, 12];
    const path = classesOf(sizes);
    const { labels } = await open(path, { order: "shares" });
    const count = (part: ArrayLike<number>, label: number): number =>
      Array.from(part).filter((each) => each === label).length;
    for (let end = 1; end <= 46; end++)
      for (const [label, size] of sizes.entries())
        expect(
          Math.abs(count(Array.from(labels).slice(0, end), label) - (size * end) / 46),
        ).toBeLessThanOrEqual(1);
    const inOrder = async (seed: number) => values(await open(path, { order: "shares", seed }));
    const [one, again, other] = [await inOrder(0), await inOrder(0), await inOrder(1)];
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
    expect(other.sort()).toEqual(one.sort());
  });

  it("gives each image the same values whoever is asked for beside it", async () => {
    const set = await open(classesOf([2, 2]));
    const together = await set.rows([0, 1, 2, 3]);
    const alone = await Promise.all([3, 2, 1, 0].map(async (i) => set.rows([i])));
    expect(alone.reverse().flatMap((row) => [...row])).toEqual([...together]);
  });

  it("takes the classes' names in the order that is given, and says which have no images", async () => {
    const path = classesOf([2, 1]);
    const set = await open(path, { classes: 4, classNames: ["other", "class1", "class0", "none"] });
    expect(Array.from(set.labels).sort()).toEqual([1, 2, 2]);
    expect(set.notes).toEqual(["no images of 2 of 4 classes: other, none"]);
  });

  it("leaves out what is no image and says so, but not hidden files; links are followed", async () => {
    const path = folder({
      "a/1.PNG": png(1),
      "a/notes.txt": "x",
      "a/.hidden": "x",
      "b/1.png": png(2),
      "LABELS.md": "x",
      ".git/x": "x",
    });
    symlinkSync(join(path, "b"), join(path, "c"));
    const set = await open(path);
    expect(set.classNames).toEqual(["a", "b", "c"]);
    expect((await values(set)).sort()).toEqual([1, 2, 2]);
    const left = [join(path, "LABELS.md"), join(path, "a/notes.txt")].join(", ");
    expect(set.notes).toEqual([`left out what is no JPEG, PNG or WebP image in a class: ${left}`]);
  });

  it("knows whether a file has changed", async () => {
    const path = classesOf([1, 1]);
    const before = await open(path);
    expect((await open(path)).identity).toBe(before.identity);
    writeFileSync(
      join(path, "class0/0.png"),
      encode({ width: 2, height: 2, channels: 3, data: new Uint8Array(12) }),
    );
    expect((await open(path)).identity).not.toBe(before.identity);
  });

  it("keeps no more prepared images than it is allowed, whatever the number of files", async () => {
    const path = classesOf([4, 4]);
    const set = await open(path, { cacheBytes: 11 });
    const all = await values(set);
    rmSync(path, { recursive: true });
    const again = await set.rows([0, 1]);
    expect([again[0], again[4]].map((v) => Math.round((v ?? NaN) * 255))).toEqual(all.slice(0, 2));
    for (const index of [2, 7])
      await expect(set.rows([index])).rejects.toThrow("expected an image that can be read, got ENOENT");
  });
});

describe("refusals of a folder", () => {
  const one = png(1);
  it.each<[Record<string, Uint8Array | string | null>, Partial<ImageFolderOptions>, string]>([
    [{ "1.png": one }, {}, ": expected one sub-folder per class, got none"],
    [{ "a/1.png": one, "a/2.png": one }, {}, ": expected images of at least 2 classes, got 'a' alone"],
    [
      { "a/1.png": one, b: null },
      {},
      "/b: expected at least one JPEG, PNG or WebP image, got an empty folder",
    ],
    [{ "a/1.gif": one }, {}, "/a: expected at least one JPEG, PNG or WebP image, got 1.gif"],
    [
      { "a/1.png": one, "a/more/2.png": one },
      {},
      "/a: expected images alone in a class's folder, got the folder 'more'",
    ],
    [
      { "a/1.png": one, "b/1.png": one },
      { classes: 3 },
      ": expected 3 sub-folders, one for each of the model's classes, got 2; where only some are there, name all classes in order with classes",
    ],
    [
      { "0/1.png": one, "2/1.png": one, "10/1.png": one },
      {},
      ": expected class folders whose order by name is that of the classes, got '10' before '2'; say the order with classes",
    ],
    [
      { "a/1.png": one, "b/1.png": one },
      { classNames: ["a", "c"] },
      ": expected sub-folders named in classes, got 'b' (allowed: a, c)",
    ],
    [
      { "a/1.png": one, "b/1.png": one },
      { classes: 3, classNames: ["a", "b"] },
      ": expected 3 class names, one for each of the model's outputs, got 2",
    ],
  ])("%#", async (files, options, message) => {
    const path = folder(files);
    await expect(open(path, options)).rejects.toThrow(`${path}${message}`);
  });

  it("names a link to nothing when its turn comes, or leaves it out and counts it", async () => {
    const path = folder({ "a/1.png": png(1), "b/2.png": png(2) });
    symlinkSync(join(path, "nowhere.png"), join(path, "b/3.png"));
    const set = await open(path);
    await expect(set.rows([0, 1, 2])).rejects.toThrow(
      `${join(path, "b/3.png")}: expected an image that can be read, got ENOENT`,
    );
    const { count, notes } = await open(path, { unreadable: "skip" });
    expect([count, ...notes]).toEqual([
      2,
      `left out 1 of 3 images, which cannot be read: ${join(path, "b/3.png")}`,
    ]);
    symlinkSync(join(path, "nowhere"), join(path, "c"));
    await expect(open(path, { unreadable: "skip" })).rejects.toThrow(
      `${join(path, "c")}: expected a file that can be read, got ENOENT`,
    );
  });

  it("names the image that cannot be decoded when its turn comes", async () => {
    const path = folder({ "a/1.png": png(1), "b/2.jpg": "no image" });
    const set = await open(path);
    const bad = Array.from(set.labels).indexOf(1);
    await expect(set.rows([bad])).rejects.toThrow(
      `${join(path, "b/2.jpg")}: expected a JPEG, PNG or WebP image, got another or a damaged file`,
    );
  });
});
