// --dataset with a folder or an archive, --preprocess, and the YAML beside a model.
import { encode } from "fast-png";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { AuditFile } from "../../src/experiments/records.js";
import { drawn } from "../support/against-runtime.js";
import { foreignFile } from "../support/onnx-builder.js";
import { temper, temporaryFolder } from "./cli.js";

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const fixtures = join(import.meta.dirname, "../fixtures");

/** A linear classifier of three classes over inputs of `shape`. */
function writeModel(name: string, shape: readonly number[]): void {
  const size = shape.reduce((product, d) => product * d, 1);
  const nodes = [
    { op: "Flatten", in: ["x"], out: ["flat"] },
    { op: "MatMul", in: ["flat", "w"], out: ["y"] },
  ];
  writeFileSync(at(name), foreignFile({ x: ["N", ...shape], nodes, tensors: { w: drawn([size, 3], "w") } }));
}

writeModel("plain.onnx", [3, 2, 5]);
writeModel("described.onnx", [3, 4, 4]);
writeFileSync(
  at("described.yaml"),
  "# as it was trained\nresize: 6\ncrop: 4\nmean: [0.5, 0.4, 0.3]\nstd: 0.25\n",
);
writeModel("misspelt.onnx", [3, 4, 4]);
writeFileSync(at("misspelt.yaml"), "crop: 4\nmeans: 0.5\n");

const photos = at("photos");
for (const [k, name] of ["cat", "dog", "emu"].entries()) {
  mkdirSync(join(photos, name), { recursive: true });
  for (let i = 0; i < 4; i++) {
    const data = Uint8Array.from({ length: 3 * 9 * 12 }, (_, j) => (97 * k + 31 * i + 7 * j) % 256);
    writeFileSync(join(photos, name, `${i}.png`), encode({ width: 12, height: 9, channels: 3, data }));
  }
}

const audit = (model: string, dataset: string, out: string, ...rest: string[]) =>
  temper([
    ...["audit", at(model), "--dataset", dataset, "--attack", "fgsm", "--epsilon", "8/255"],
    ...["--out", at(out), ...rest],
  ]);

const recordIn = (out: string): AuditFile =>
  JSON.parse(readFileSync(at(`${out}/audit.json`), "utf8")) as AuditFile;

describe("temper audit of a folder of images", () => {
  it("does what the YAML beside the model says, and says so", async () => {
    const { code, out, err } = await audit("described.onnx", photos, "folder");
    expect(err).toMatch(/^preprocessing: resize: 6; crop: 4; mean: \[0\.5, 0\.4, 0\.3\];\s+std: \[0\.25\]/);
    expect(err.replace(/\s+/g, " ")).toContain("described.yaml)");
    expect(code).toBe(0);
    expect(out.replace(/\s+/g, " ")).toContain("ε in units of pixels in [0, 1], before range, mean and std.");
    expect(recordIn("folder").dataset).toEqual({
      ...{
        name: photos,
        split: "all",
        n: 12,
        source: "folder",
        classNames: ["cat", "dog", "emu"],
        notes: [],
      },
      preprocessing: { resize: 6, interpolation: "bilinear", crop: 4, mean: [0.5, 0.4, 0.3], std: [0.25] },
    });
    const page = readFileSync(at("folder/report.html"), "utf8");
    expect(page).toContain("units of pixels in [0, 1], before range, mean and std");
    expect(page).toContain("crop 4; mean [0.5,0.4,0.3]");
  });

  it("is the same each time, and the batch size changes nothing", async () => {
    await audit("described.onnx", photos, "again", "--batch-size", "5");
    const [one, two] = [recordIn("folder"), recordIn("again")];
    expect({ clean: two.clean, robust: two.robust }).toEqual({ clean: one.clean, robust: one.robust });
  });

  it("refuses attacks that need more classes than the model has, before it begins", async () => {
    const run = ["audit", at("described.onnx"), "--dataset", photos, "--epsilon", "0.1", "--out", at("few")];
    const { code, err } = await temper([...run, "--attack", "fgsm,apgd-t"]);
    expect(code).toBe(1);
    expect(err).toBe("temper: apgd-t: expected a model of 4 classes or more, got 3\n");
    expect(existsSync(at("few"))).toBe(false);
  });

  it("takes what the command line says over the YAML, and as many images as --limit", async () => {
    const given = ["--preprocess", "mean=0.5", "--preprocess", "interpolation=bicubic", "--limit", "3"];
    const { code, err } = await audit("described.onnx", photos, "over", ...given);
    expect(code).toBe(0);
    expect(err.replace(/\s+/g, " ")).toContain("described.yaml and --preprocess)");
    expect(recordIn("over").dataset).toMatchObject({
      ...{ n: 3, preprocessing: { resize: 6, interpolation: "bicubic", crop: 4, mean: [0.5], std: [0.25] } },
    });
  });

  it.each([
    [
      ["described.onnx", "photo"],
      /dataset: unknown name 'photo' \(known: mnist, .*, a path to a folder or \.npz archive\)/,
    ],
    [
      ["described.onnx", "./none"],
      "./none: expected a folder of images or an .npz archive, got no such file",
    ],
    [
      ["described.onnx", photos, "--split", "test"],
      `${photos}: expected no split, got 'test': a folder has no parts; name the part's own folder`,
    ],
    [
      ["described.onnx", photos, "--preprocess", "crop"],
      "--preprocess crop: expected option=value, got 'crop'",
    ],
    [
      ["described.onnx", photos, "--preprocess", "crob=4"],
      "--preprocess: unknown option 'crob' – did you mean 'crop'? (known: resize, interpolation, crop, range, mean, std, channels, layout, classes)",
    ],
    [
      ["described.onnx", photos, "--preprocess", "classes=cat,dog"],
      `${photos}: expected 3 class names, one for each of the model's outputs, got 2`,
    ],
    [
      ["misspelt.onnx", photos],
      `${at("misspelt.yaml")}:2:1: preprocessing: unknown option 'means' – did you mean 'mean'? (known: resize, interpolation, crop, range, mean, std, channels, layout, classes)`,
    ],
    [
      ["plain.onnx", photos],
      /photos\/(cat|dog|emu)\/\d\.png: expected an image of 2×5, got 9×12 \(height × width\); give resize and crop\n/,
    ],
  ])("refuses %j", async ([model = "", dataset = "", ...rest], message) => {
    const { code, err } = await audit(model, dataset, "refused", ...rest);
    expect(code).toBe(1);
    if (typeof message === "string") expect(err).toContain(`temper: ${message}\n`);
    else expect(err).toMatch(message);
  });
});

describe("temper audit of an .npz", () => {
  const archive = (name: string): string => join(fixtures, "arrays", `${name}.npz`);

  it("gives one figure for the same images in every form", async () => {
    const forms = ["first", "last", "floats"];
    for (const name of forms) expect((await audit("plain.onnx", archive(name), name)).code).toBe(0);
    const [first, ...others] = forms.map((name) => recordIn(name));
    for (const { clean, robust } of others)
      expect({ clean, robust }).toEqual({ clean: first?.clean, robust: first?.robust });
    expect(first?.dataset).toMatchObject({ source: "npz", split: "all", n: 4, preprocessing: {} });
  });

  it("gives the size that a model's file leaves open, in its layout", async () => {
    const nodes = [
      { op: "GlobalAveragePool", in: ["x"], out: ["mean"] },
      { op: "Flatten", in: ["mean"], out: ["y"] },
    ];
    writeFileSync(at("any-size.onnx"), foreignFile({ x: ["N", 3, "height", "width"], nodes }));
    expect(await audit("any-size.onnx", archive("first"), "open")).toMatchObject({ code: 0 });
    expect(recordIn("open").model.inputShape).toEqual([3, 2, 5]);
    const last = [{ op: "ReduceMean", in: ["x"], out: ["y"], attributes: { axes: [1, 2], keepdims: 0 } }];
    writeFileSync(at("any-last.onnx"), foreignFile({ x: ["N", "height", "width", 3], nodes: last }));
    const found = await audit("any-last.onnx", archive("first"), "open-last", "--preprocess", "layout=nhwc");
    expect(found).toMatchObject({ code: 0 });
    expect(recordIn("open-last").model.inputShape).toEqual([2, 5, 3]);
    expect(recordIn("open-last").clean).toBe(recordIn("open").clean);
    const refused = await audit("any-last.onnx", archive("first"), "open-refused");
    expect(refused.err).toMatch(/expected fixed sizes behind the batch, got \[N, height, width, 3\]\n$/);
  });

  it("does not resize, and says so", async () => {
    writeModel("sized.onnx", [3, 2, 5]);
    writeFileSync(at("sized.yaml"), "resize: 300\nmean: 0.5\n");
    const { err } = await audit("sized.onnx", archive("first"), "sized");
    expect(err.replace(/\s+/g, " ")).toContain(
      "are taken in their own size: resize and crop are for folders",
    );
    expect(recordIn("sized").dataset.preprocessing).toEqual({ mean: [0.5] });
    const refused = await audit("plain.onnx", archive("first"), "sized", "--preprocess", "crop=2");
    expect(refused.err).toBe(
      `temper: --preprocess crop: expected a folder of images, got ${archive("first")} (allowed: range, mean, std, channels, layout, classes)\n`,
    );
  });

  it("refuses labels beyond the model's classes", async () => {
    const { code, err } = await audit("plain.onnx", archive("labels-out"), "refused");
    expect({ code, err }).toEqual({
      code: 1,
      err: `temper: ${archive("labels-out")}: y: expected labels from 0 to 2, got 3 at index 3\n`,
    });
  });
});

/** Without the breaks of its lines. */
const flat = (text: string): string => text.replaceAll(/\s+/g, " ");

describe("temper harden with a folder or an archive", () => {
  const harden = (model: string, dataset: string, out: string, ...rest: string[]) =>
    temper([
      ...[
        "harden",
        model,
        "--dataset",
        dataset,
        "--defense",
        "standard",
        "--epochs",
        "2",
        "--batch-size",
        "4",
      ],
      ...["--threads", "1", "--out", at(out), ...rest],
    ]);

  it("trains through the preprocessing, writes the model without it, and the YAML beside it", async () => {
    const { code, err } = await harden(at("described.onnx"), photos, "hardened.onnx");
    expect(code, err).toBe(0);
    expect(flat(err)).toMatch(
      /photos: 12 images are read as training goes, in \d+ threads?; up to 536\.9 MB/,
    );
    expect(readFileSync(at("hardened.yaml"), "utf8")).toBe(
      "resize: 6\ncrop: 4\nmean: [0.5, 0.4, 0.3]\nstd: [0.25]\n",
    );
    expect((await audit("hardened.onnx", photos, "after")).code).toBe(0);
    expect(recordIn("after").dataset.preprocessing).toEqual(recordIn("folder").dataset.preprocessing);
    expect(recordIn("after").clean).toBeGreaterThan(recordIn("folder").clean);
    expect(recordIn("after").model.inputShape).toEqual([3, 4, 4]);
  });

  it("holds all images in memory where a method moves them, and says why", async () => {
    const rest = ["--defense", "sgm"];
    const { code, err } = await harden(at("described.onnx"), photos, "moved.onnx", ...rest);
    expect(code, err).toBe(0);
    expect(flat(err)).toContain(
      "12 images are held in memory, 576 B; sgm moves its inputs and needs all of them",
    );
  });

  it("leaves out and counts what cannot be read, in folders alone", async () => {
    cpSync(photos, at("damaged"), { recursive: true });
    const [kind = ""] = readdirSync(at("damaged"));
    const bad = join(at("damaged"), kind, "zz.png");
    writeFileSync(bad, "no image");
    const refused = await harden(at("described.onnx"), at("damaged"), "damaged.onnx");
    expect(refused.code).toBe(1);
    expect(refused.err).toContain(`temper: ${bad}: expected a JPEG, PNG or WebP image`);
    const skip = ["--unreadable", "skip", "--fresh"];
    const { code, err, out } = await harden(at("described.onnx"), at("damaged"), "damaged.onnx", ...skip);
    expect(code, err).toBe(0);
    const count = `left out 1 of 13 images, which cannot be read: ${bad}`;
    expect(flat(err)).toContain(count);
    expect(out).toContain(`--dataset ${at("damaged")} --epsilon 0.1 --unreadable skip\n`);
    const ended = await audit("described.onnx", at("damaged"), "ended");
    expect([ended.code, ended.err]).toEqual([1, expect.stringContaining(`temper: ${bad}: expected a JPEG`)]);
    const audited = await audit("described.onnx", at("damaged"), "skipped", ...skip);
    expect(audited.code, audited.err).toBe(0);
    expect(flat(audited.err)).toContain(count);
    expect(recordIn("skipped").clean).toBe(recordIn("folder").clean);
    const digits = await audit("described.onnx", "mnist", "digits", ...skip);
    expect(digits.err).toBe("temper: --unreadable skip: expected a folder of images, got mnist\n");
    const elsewhere = await harden(at("described.onnx"), "mnist", "none.onnx", ...skip);
    expect(elsewhere.err).toBe("temper: --unreadable skip: expected a folder of images, got mnist\n");
  });

  it("never writes the YAML over another", async () => {
    writeFileSync(at("kept.yaml"), "mine: 1\n");
    const { code, err } = await harden(at("described.onnx"), photos, "kept.onnx");
    expect(code).toBe(1);
    expect(err).toBe(
      `temper: ${at("kept.yaml")}: expected no file, or the preprocessing that is used here, got another file\n`,
    );
    expect(existsSync(at("kept.onnx"))).toBe(false);
  });

  it("makes a new network for them", async () => {
    const size = ["--preprocess", "crop=4,5"];
    const made = await harden("mlp", photos, "new.onnx", ...size);
    expect(made.code, made.err).toBe(0);
    expect((await audit("new.onnx", photos, "new")).code).toBe(0);
    expect(recordIn("new").model.inputShape).toEqual([3, 4, 5]);
    const unsized = await harden("mlp", photos, "unsized.onnx");
    expect(unsized.err).toBe(
      `temper: ${photos}: expected crop, or resize: [height, width], got neither, where the model's input does not say the size of an image\n`,
    );
  });

  it("takes whole bytes only", async () => {
    const floats = join(fixtures, "arrays/normalised.npz");
    const { code, err } = await harden(
      at("plain.onnx"),
      floats,
      "floats.onnx",
      "--preprocess",
      "range=-2.1,3.1",
    );
    expect(code).toBe(1);
    expect(err).toMatch(/normalised\.npz: expected pixels of 8 bits, got 0\.\d+ in image 0\n$/);
  });
});
