// Layouts of folders: Tiny-ImageNet's and ImageNet's, with labels in folders' names or in a list.
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readLayout, type ClassOptions, type FolderLayout } from "../../src/data/folder-layout.js";

const scratch = mkdtempSync(join(tmpdir(), "temper-layout-"));
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

let folders = 0;

/** A folder with the given files. */
function folder(files: Readonly<Record<string, string>>): string {
  const root = join(scratch, `set${folders++}`);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}

/** Names of the images of each class. */
const images = ({ classes, classNames }: FolderLayout): Record<string, string[]> =>
  Object.fromEntries(
    classes.map((items, i) => [classNames[i] ?? "", items.map(({ path }) => path.split("/").at(-1) ?? "")]),
  );

const boxes = "n02_0.JPEG\t0\t0\t62\t62\n";
const tiny = folder({
  "wnids.txt": "n02\nn01\n",
  "words.txt": "n01\tgoldfish\nn02\ttench\n",
  "train/n02/n02_boxes.txt": boxes,
  "train/n02/images/n02_0.JPEG": "",
  "train/n02/images/n02_1.JPEG": "",
  "train/n01/n01_boxes.txt": boxes,
  "train/n01/images/n01_0.JPEG": "",
  "val/val_annotations.txt": "val_0.JPEG\tn02\t0\t32\t44\t62\nval_1.JPEG\tn01\t52\t55\t57\t59\n",
  "val/images/val_0.JPEG": "",
  "val/images/val_1.JPEG": "",
  "test/images/test_0.JPEG": "",
});

describe("Tiny-ImageNet", () => {
  it("has the images of a class in a folder of their own, beside a list of boxes", async () => {
    const layout = await readLayout(join(tiny, "train"), {});
    expect(images(layout)).toEqual({ n01: ["n01_0.JPEG"], n02: ["n02_0.JPEG", "n02_1.JPEG"] });
    expect(layout.notes).toEqual([]);
  });

  it("has the classes of its validation images in a list", async () => {
    const layout = await readLayout(join(tiny, "val"), { classes: 2 });
    expect(images(layout)).toEqual({ n01: ["val_1.JPEG"], n02: ["val_0.JPEG"] });
    expect(layout.classes.flat().map(({ label }) => label)).toEqual([0, 1]);
    expect(layout.notes).toEqual([`labels are those of ${join(tiny, "val/val_annotations.txt")}`]);
  });

  it("is named part by part", async () => {
    const parts = ["test", "train", "val"].map((part) => join(tiny, part)).join(", ");
    await expect(readLayout(tiny, {})).rejects.toThrow(
      `${tiny}: expected the folder of one part, got ${parts}`,
    );
  });
});

describe("ImageNet", () => {
  const root = folder({
    "train/n01/n01_0.JPEG": "",
    "train/n02/n02_0.JPEG": "",
    "val/v_1.JPEG": "",
    "val/v_2.JPEG": "",
    "val/v_3.JPEG": "",
    "LOC_val_solution.csv":
      "ImageId,PredictionString\nv_1,n02 1 2 3 4 n02 5 6 7 8\nv_2,n01 1 2 3 4\nv_3,n02 0 0 1 1\n",
  });

  it("has training images in folders, validation images in one, with their classes beside it", async () => {
    expect(images(await readLayout(join(root, "train"), {}))).toEqual({
      n01: ["n01_0.JPEG"],
      n02: ["n02_0.JPEG"],
    });
    const layout = await readLayout(join(root, "val"), {});
    expect(images(layout)).toEqual({ n01: ["v_2.JPEG"], n02: ["v_1.JPEG", "v_3.JPEG"] });
  });

  it("takes classes by number, and their names from the user", async () => {
    const path = folder({ "val/a.JPEG": "", "val/b.JPEG": "", "val.txt": "a.JPEG 2\nb.JPEG 0\nc.JPEG 1\n" });
    const layout = await readLayout(join(path, "val"), { classes: 4 });
    expect(images(layout)).toEqual({ 0: ["b.JPEG"], 1: [], 2: ["a.JPEG"], 3: [] });
    expect(layout.notes[1]).toBe(`1 of the 3 images in ${join(path, "val.txt")} are not there`);
    const named = await readLayout(join(path, "val"), { classNames: ["cat", "dog", "fish"] });
    expect(images(named)).toEqual({ cat: ["b.JPEG"], dog: [], fish: ["a.JPEG"] });
  });

  it("takes numbers that are names of classes as names", async () => {
    const path = folder({ "val/a.png": "", "val/b.png": "", "val.txt": "a.png 0\nb.png 2\n" });
    const layout = await readLayout(join(path, "val"), { classNames: ["2", "0", "1"] });
    expect(images(layout)).toEqual({ 2: ["b.png"], 0: ["a.png"], 1: [] });
    expect(layout.classes.flat().map(({ label }) => label)).toEqual([0, 1]);
  });

  it.each(["ImageId", "filename", "image_id", "Image", "file_name", "path", '"id"'])(
    "passes over a first line that begins with %s",
    async (first) => {
      const path = folder({ "val/a.png": "", "val/b.png": "", "val.csv": `${first},label\na,cat\nb,dog\n` });
      expect(images(await readLayout(join(path, "val"), {}))).toEqual({ cat: ["a.png"], dog: ["b.png"] });
    },
  );

  it("may name an image twice, if with one class", async () => {
    const path = folder({ "val/a.png": "", "val/b.png": "", "val.txt": "a.png 1\nb 0\na.png 1\nb.png 0\n" });
    expect(images(await readLayout(join(path, "val"), {}))).toEqual({ 0: ["b.png"], 1: ["a.png"] });
  });

  it("takes the order of named classes from the user", async () => {
    const layout = await readLayout(join(root, "val"), { classNames: ["n02", "n03", "n01"] });
    expect(layout.classes.flat().map(({ label }) => label)).toEqual([0, 0, 2]);
  });
});

describe("a list of more classes than are there", () => {
  it("is read where the classes that are there are named", async () => {
    const list = "a.JPEG n07 1 2\nb.JPEG n03\nc.JPEG n05\n";
    const path = folder({
      "val/images/a.JPEG": "",
      "val/images/b.JPEG": "",
      "val/val_annotations.txt": list,
    });
    const layout = await readLayout(join(path, "val"), { classNames: ["n03", "n07"] });
    expect(images(layout)).toEqual({ n03: ["b.JPEG"], n07: ["a.JPEG"] });
    expect(images(await readLayout(join(path, "val"), {}))).toEqual({
      n03: ["b.JPEG"],
      n05: [],
      n07: ["a.JPEG"],
    });
  });
});

describe("refusals of a list", () => {
  it.each<[Record<string, string>, ClassOptions, string]>([
    [
      { "val/a.png": "", "val/b.png": "", "val.txt": "a.png n01\n" },
      {},
      "/val/b.png: expected a label in ROOT/val.txt, got none",
    ],
    [
      { "val/a.png": "", "val.csv": "a.png,n01\nb.png\n" },
      {},
      "/val.csv:2: expected an image's name and its class, got b.png",
    ],
    [
      { "val/a.png": "", "val.txt": "a.png 7\n" },
      { classes: 5 },
      "/val.txt: expected labels from 0 to 4, got 7",
    ],
    [
      { "val/a.png": "", "val.txt": "a.png n01\nb.png n02\n" },
      { classes: 3 },
      "/val.txt: expected 3 different labels, one for each of the model's classes, got 2; where only some are there, name all classes in order with classes",
    ],
    [
      { "val/a.png": "", "val.txt": "a.png n01\n" },
      { classNames: ["n02"] },
      "/val.txt: expected different labels named in classes, got 'n01' (allowed: n02)",
    ],
    [{ "val/a.png": "" }, {}, "/val: expected one sub-folder per class, got none"],
    [
      { "val/a.png": "", "val.txt": "a.png n01\nb.png n02\na.png n02\n" },
      {},
      "/val.txt:3: expected one label for 'a.png', got 'n01' and 'n02'",
    ],
    [
      { "val/a.png": "", "val.txt": "a n01\na.png n02\n" },
      {},
      "/val.txt: expected one label for 'a.png', got 'n02' and 'n01'",
    ],
    [
      { "val/a.png": "", "val.txt": "a.png 0\nb.png 1.5\nc.png 1\n" },
      {},
      "/val.txt: expected labels that are all names, or all whole numbers from 0, got '0' and '1.5'",
    ],
    [
      { "val/a.png": "", "val.txt": "a.png -1\nb.png -1\n" },
      {},
      "/val.txt: expected labels that are all names, or all whole numbers from 0, got '-1'",
    ],
    [
      { "val/a.png": "", "val.txt": "a.png cat\nb.png 1\n" },
      {},
      "/val.txt: expected labels that are all names, or all whole numbers from 0, got '1' and 'cat'",
    ],
    [
      { "val/a.png": "", "val.txt": "a.png 0\n" },
      {},
      "/val: expected images of at least 2 classes, got '0' alone",
    ],
  ])("%#", async (files, options, message) => {
    const root = folder(files);
    await expect(readLayout(join(root, "val"), options)).rejects.toThrow(
      root + message.replace("ROOT", root),
    );
  });
});

describe.skipIf(process.platform === "win32")("what is called an image and is no file", () => {
  it("is left out: to read a pipe would be to wait without end", async () => {
    const root = folder({ "a/0.png": "", "b/0.png": "" });
    const socket = join(root, "a", "socket.png");
    const server = createServer().listen(socket);
    await once(server, "listening");
    const layout = await readLayout(root, {}).finally(() => server.close());
    expect(images(layout)).toEqual({ a: ["0.png"], b: ["0.png"] });
    expect(layout.notes.join()).toContain(socket);
  });
});
