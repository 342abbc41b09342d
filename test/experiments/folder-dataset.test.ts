// Folders of images as a recipe's dataset: what it takes, and that a run on them gives what a run in memory would.
import { encode } from "fast-png";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomStream } from "../../src/base/random.js";
import { inMemory, readValues } from "../../src/data/batches.js";
import { imageSize } from "../../src/data/index.js";
import { readPreprocessing } from "../../src/data/preprocessing.js";
import { Interrupted } from "../../src/defenses/train.js";
import { assess } from "../../src/experiments/assess.js";
import { openFolders } from "../../src/experiments/folder-dataset.js";
import { openImages } from "../../src/experiments/images.js";
import { fitPreprocessing, imagesSeen } from "../../src/experiments/input-preprocessing.js";
import { datasetForm, type ImageFolders } from "../../src/experiments/recipe-dataset.js";
import { parseRecipe } from "../../src/experiments/recipe-file.js";
import type { Recipe } from "../../src/experiments/recipe.js";
import type { RunEvent } from "../../src/experiments/run-options.js";
import { runRecipe } from "../../src/experiments/run.js";
import { smokeNotes, smokeRecipe } from "../../src/experiments/smoke.js";
import { runStatus } from "../../src/experiments/status-facts.js";
import { readRun } from "../../src/experiments/store.js";
import { trainingIdentity, trialsOf, type Trial } from "../../src/experiments/trials.js";
import { trainingParts } from "../../src/experiments/training-parts.js";
import { importClassifier } from "../../src/nn/imported.js";
import { resultsTable } from "../../src/report/results-table.js";
import { localEngine } from "../../src/runtime/engine.js";

let root = "";
let images = 0;

/** `count` images of 12 × 14 pixels, darker in later classes. */
function writeClass(folder: string, label: number, count: number): void {
  mkdirSync(folder, { recursive: true });
  for (let n = 0; n < count; n++) {
    const noise = new Float32Array(12 * 14 * 3);
    randomStream(0, "pixels").uniform(noise, { sample: images++ }, [0, 120]);
    const data = Uint8Array.from(noise, (value) => value + 60 * label);
    writeFileSync(join(folder, `${n}.png`), encode({ width: 14, height: 12, channels: 3, data }));
  }
}

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "temper-folders-"));
  for (const [label, name] of ["ant", "bee", "cow"].entries()) {
    writeClass(join(root, "set/train", name), label, 12);
    if (name !== "bee") writeClass(join(root, "set/test", name), label, 5);
  }
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const folder = "{ folder: { train: set/train, test: set/test, resize: 11, crop: 10, classes: 3 } }";
const text = (dataset = folder, keys = "", methods = "[standard]"): string => `name: tiny
dataset: ${dataset}
model: { mlp: { hidden: [6] } }
preprocessing: { standardize: { over: channels } }
training: { batchSize: 8, epochs: 3, validation: { last: 9 }, limit: 25, curves: { splits: [test, validation] } }
methods: ${methods}
${keys}
evaluation: { attacks: [fgsm: { epsilon: 0.1 }], corruptions: [brightness], severities: [3], activations: true, top: [2], examples: 2 }
`;
const recipeOf = (given: string): Recipe => parseRecipe(given, "tiny.yaml").cases[0] as Recipe;
const foldersOf = ({ dataset }: Recipe): ImageFolders => (dataset as { folder: ImageFolders }).folder;

interface Ran {
  readonly name: string;
  readonly keys?: string;
  readonly methods?: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

async function run({ name, keys, methods, ...rest }: Ran) {
  const given = text(folder, keys, methods);
  const recipe = parseRecipe(given, "tiny.yaml");
  await runRecipe({ recipe, text: given, folder: join(root, name), base: root, checkpointEvery: 0, ...rest });
  return readRun(join(root, name));
}
const modelOf = (name: string, trial = "standard-seed0"): Uint8Array =>
  readFileSync(join(root, name, "models", `${trial}.onnx`));

describe("dataset: { folder }", () => {
  it("says shape and classes of the images without looking at them", () => {
    const absent = text().replaceAll("set/", "imagenet/");
    const { dataset } = recipeOf(absent);
    expect(datasetForm(dataset)).toEqual({ name: "imagenet", imageShape: [3, 10, 10], classes: 3 });
    const form = (keys: string) =>
      datasetForm(recipeOf(text(`{ folder: { train: a, test: b, ${keys} } }`)).dataset);
    expect(form("size: [8, 9], classes: 4, channels: gray")).toEqual({
      ...{ name: "a", imageShape: [1, 8, 9], classes: 4 },
    });
    expect(form("resize: [9, 8], size: [9, 8], classes: [ant, bee, cow]")).toMatchObject({
      ...{ imageShape: [3, 9, 8], classes: 3 },
    });
  });

  it.each([
    [
      "{ folder: { train: a, test: b, classes: 3 } }",
      "2:12: recipe.dataset.folder: expected size, crop, or resize: [height, width], got none of them",
    ],
    [
      "{ folder: { train: a, test: b, classes: 3, crop: 8, size: 9 } }",
      "recipe.dataset.folder.size: expected 8×8, as cropped or resized, got 9×9",
    ],
    [
      "{ folder: { train: a, test: b, classes: 1, crop: 8 } }",
      "2:41: recipe.dataset.folder.classes: expected number to be >=2, got 1",
    ],
    [
      "{ folder: { train: a, test: b, classes: 3, crops: 8 } }",
      "2:53: recipe.dataset.folder: unknown option 'crops' – did you mean 'crop'?",
    ],
    ["{ folders: {} }", "2:12: recipe.dataset: unknown option 'folders' – did you mean 'folder'?"],
    [
      "{ folder: { train: a, test: b, classes: many } }",
      '2:41: recipe.dataset.folder.classes: expected a whole number of at least 2, or the classes\' names in order, got "many"',
    ],
    ["{}", "2:1: recipe.dataset.folder: expected { key: value, … }, got nothing"],
    ["3", "2:1: recipe.dataset: expected a dataset's name, or { folder: { … } }, got 3"],
    ["mnits", "2:1: dataset: unknown name 'mnits' – did you mean 'mnist'?"],
  ])("%s is refused", (dataset, message) => {
    expect(() => parseRecipe(text(dataset), "tiny.yaml")).toThrow(message);
  });

  it("is one line where the folder has other classes, is absent, or has images of another size", async () => {
    const open = (changes: Partial<ImageFolders>) =>
      openFolders({ ...foldersOf(recipeOf(text())), ...changes }, root);
    await expect(open({ classes: 4 })).rejects.toThrow(
      `${join(root, "set/train")}: expected 4 sub-folders, one for each of the model's classes, got 3`,
    );
    await expect(open({ test: "set" })).rejects.toThrow(`${join(root, "set")}: expected `);
    await expect(open({ train: "none" })).rejects.toThrow(
      `${join(root, "none")}: expected a folder that can be read, got ENOENT`,
    );
    const { dataset } = await open({ resize: undefined, crop: undefined, size: 10 });
    await expect(inMemory(dataset.train, 300)).rejects.toThrow(
      ".png: expected an image of 10×10, got 12×14 (height × width); give resize and crop",
    );
  });

  it("needs training images of two classes, whatever classes are named", async () => {
    writeClass(join(root, "lone/ant"), 0, 2);
    const lone = { train: "lone", test: "lone", classes: ["ant", "bee"] };
    await expect(openFolders({ ...foldersOf(recipeOf(text())), ...lone }, root)).rejects.toThrow(
      `${join(root, "lone")}: expected training images of at least 2 classes, got 'ant' alone`,
    );
  });

  it("leaves out what cannot be read where that is asked for", async () => {
    for (const name of ["ant", "bee", "cow"]) writeClass(join(root, "torn", name), 0, 2);
    const bad = join(root, "torn/bee/bad.png");
    writeFileSync(bad, "no image");
    const given = (keys: string): ImageFolders =>
      foldersOf(recipeOf(text(`{ folder: { train: torn, test: torn, crop: 8, classes: 3${keys} } }`)));
    const refusing = await openFolders(given(""), root);
    await expect(inMemory(refusing.dataset.train, 192)).rejects.toThrow(`${bad}: expected `);
    const { dataset, notes } = await openFolders(given(", unreadable: skip"), root);
    expect([dataset.train.count, dataset.test.count]).toEqual([6, 6]);
    const note = `${join(root, "torn")}: left out 1 of 7 images, which cannot be read: ${bad}`;
    expect(notes).toEqual([note, note]);
    expect(() => given(", unreadable: no")).toThrow(
      '2:68: recipe.dataset.folder.unreadable: expected one of "refuse"|"skip", got "no"',
    );
  });

  it("decides the training, which on a registered dataset stays what it was", () => {
    const identity = (given: string): string =>
      trainingIdentity(trialsOf(parseRecipe(given, "x"))[0] as Trial);
    expect(identity(text(folder.replace("11", "12")))).not.toBe(identity(text()));
    expect(identity(text("mnist"))).toBe("0625f59a2edc19390be1656bf7700482d035668b9f6ff37a8f198cd279ead188");
  });
});

describe("the images of folders", () => {
  it("are those in memory, in every part, preprocessed or not", async () => {
    const recipe = recipeOf(text());
    const { dataset, notes } = await openFolders(foldersOf(recipe), root);
    expect(notes).toEqual([`${join(root, "set/test")}: no images of 1 of 3 classes: bee`]);
    expect([...new Set(dataset.test.labels)].sort()).toEqual([0, 2]);
    const size = imageSize(dataset.imageShape);
    const held = {
      ...dataset,
      train: await inMemory(dataset.train, size),
      test: await inMemory(dataset.test, size),
    };
    const parts = trainingParts(dataset.train, recipe.training);
    const heldParts = trainingParts(held.train, recipe.training);
    for (const part of ["train", "validation"] as const) {
      const [read, known] = [parts[part], heldParts[part]];
      if (read === null || known === null) throw new Error("no part");
      expect(await inMemory(read, size)).toEqual(known);
      const indices = Uint32Array.of(3, 0, 3);
      expect(await readValues(read, size, indices)).toEqual(await readValues(known, size, indices));
    }
    expect(parts.train.count).toBe(25);
    const cacheDir = join(root, "cache");
    const fitted = await fitPreprocessing(recipe, dataset, { cacheDir });
    expect(await fitPreprocessing(recipe, held, { cacheDir })).toEqual(fitted);
    expect(Object.keys(fitted ?? {})).toHaveLength(2);
    const behind = { ...recipe, space: "preprocessed" as const };
    const options = { fitted: fitted ?? {}, engine: localEngine({ threads: 1 }) };
    const seen = await imagesSeen(behind, dataset, options);
    expect(seen.train).toEqual((await imagesSeen(behind, held, options)).train);
  });
});

describe("a run on folders", () => {
  it("trains, measures and reports; stopped and continued it gives the same bytes", async () => {
    const said: string[] = [];
    const onEvent = (event: RunEvent): void => void (event.kind === "images" && said.push(event.text));
    const record = await run({ name: "whole", onEvent });
    expect(said).toEqual([`${join(root, "set/test")}: no images of 1 of 3 classes: bee`]);
    const [row] = record.results.rows;
    expect(record.results.dataset).toBe("set");
    expect(row).toMatchObject({ corruptions: [{ name: "brightness", n: 10 }], activations: { n: 10 } });
    expect(record.galleries[0]?.originals).toHaveLength(2 * 300);
    expect(record.metrics.map(({ metrics }) => Object.keys(metrics))).toEqual(
      Array.from({ length: 3 }, () => expect.arrayContaining(["testError", "validationError"]) as string[]),
    );
    const { classifier } = importClassifier(modelOf("whole"));
    const preprocessing = readPreprocessing("test", { resize: 11, crop: 10, classes: ["ant", "bee", "cow"] });
    const tests = await openImages(join(root, "set/test"), { preprocessing, model: classifier.model });
    const engines = [localEngine({ threads: 1 })];
    const plain = { attacks: [], top: [2], labels: "true", seed: 0, batchSize: 3 } as const;
    const { clean, top } = await assess(classifier, tests, { engines, ...plain });
    expect([clean, top]).toEqual([row?.clean, row?.top]);
    expect(top[0]?.accuracy).toBeGreaterThanOrEqual(clean);
    expect(resultsTable(record.results).columns.map(({ name }) => name)).toEqual([
      "clean",
      "clean, top-2",
      "ε 0.1",
    ]);

    const stop = new AbortController();
    const stopping = {
      name: "stopped",
      signal: stop.signal,
      onEvent: ({ kind }: RunEvent) => void (kind === "epoch" && stop.abort()),
    };
    await expect(run(stopping)).rejects.toBeInstanceOf(Interrupted);
    const status = await runStatus(join(root, "stopped"));
    expect(status.trials).toHaveLength(1);
    const continued = await run({ name: "stopped" });
    expect(continued.results).toEqual(record.results);
    expect(modelOf("stopped")).toEqual(modelOf("whole"));

    writeClass(join(root, "set/test/ant"), 0, 1);
    await expect(run({ name: "whole" })).rejects.toThrow(
      `${join(root, "whole")}: expected the files of set/train, set/test that this run has begun with, got others (--fresh starts over; where only times have changed, remove images.json)`,
    );
  });

  it("holds the images in memory for methods that move them", async () => {
    const { results } = await run({ name: "moved", keys: "seeds: [1]", methods: "[sgm]" });
    expect(results.rows.map(({ method, seed }) => [method, seed])).toEqual([["sgm", 1]]);
  });
});

describe("a smoke run", () => {
  const keys = "smoke: { model: { mlp: { hidden: [2] } }, size: [6, 5] }";

  it("draws images where there is no folder, of its own size where it names one", async () => {
    const given = text(folder.replaceAll("set/", "imagenet/"), keys).replace(
      /corruptions.*?\], severities: \[3\], /,
      "",
    );
    const recipe = parseRecipe(given, "tiny.yaml");
    expect(smokeNotes(recipe.cases, root).slice(4)).toEqual([
      "mlp with hidden [2] in the place of the recipe's network",
      "images of 6×5 pixels",
      "drawn images in the place of imagenet, which is not on this machine",
    ]);
    expect(smokeNotes(parseRecipe(text(), "tiny.yaml").cases, root)).toHaveLength(4);
    const [cut] = smokeRecipe(recipe, root).cases;
    expect(cut && datasetForm(cut.dataset).imageShape).toEqual([3, 6, 5]);
    await runRecipe({
      ...{ recipe, text: given, folder: join(root, "smoke"), base: root, smoke: true },
    });
    const { results } = await readRun(join(root, "smoke"));
    expect(results.rows).toHaveLength(1);
  });

  it("is refused where registered datasets should be of another size, or corruptions need larger images", () => {
    expect(() => parseRecipe(text(folder, keys), "tiny.yaml")).toThrow(
      "tiny.yaml:7:43: brightness: expected images of at least 8 × 8 pixels, got [3, 6, 5]",
    );
    expect(() => parseRecipe(text("mnist", keys), "tiny.yaml")).toThrow(
      "tiny.yaml:7:43: recipe.smoke.size: expected folders of images, got the dataset 'mnist'",
    );
  });
});
