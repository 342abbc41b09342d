// The folder of a run: what lies where, read and written whole.
import { readdir, readFile, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { z } from "zod";
import { check, fail, TemperError } from "../base/errors.js";
import { dataIn, decodeTensors, encodeTensors } from "../base/safetensors.js";
import { tensor, type Tensor } from "../base/tensor.js";
import { makeFolder, writeWhole } from "../data/disk.js";
import { correctFile, type CorrectFile } from "./correctness.js";
import { readContrast } from "./contrast.js";
import { readInputUpdates } from "./input-updates.js";
import { lockName } from "./lock.js";
import { methodName, trialName } from "./names.js";
import { schemas, type MetricsLine, type ResultsFile, type RunFile, type StepProfile } from "./records.js";
import type { Gallery, RunRecord } from "./run-record.js";

/** Paths inside a run's folder. */
export const paths = {
  run: "run.json",
  results: "results.json",
  audit: "audit.json",
  auditJournal: "audit.journal.jsonl",
  worstImages: "worst-images.safetensors",
  metrics: "metrics.jsonl",
  recipe: "recipe.yaml",
  /** Which files the folders of images held, where the recipe names any. */
  images: "images.json",
  model: (trial: string): string => join("models", `${trial}.onnx`),
  trial: (trial: string): string => join("trials", trial),
  checkpoint: (trial: string): string => join("trials", trial, "checkpoint"),
  /** The network over preprocessed images, where methods and attacks see those. */
  network: (trial: string): string => join("trials", trial, "network.onnx"),
  training: (trial: string): string => join("trials", trial, "training.json"),
  /** Where a candidate's training came to nothing. */
  diverged: (trial: string): string => join("trials", trial, "diverged.json"),
  row: (trial: string): string => join("trials", trial, "row.json"),
  correct: (trial: string): string => join("trials", trial, "correct.json"),
  profiles: "profiles",
  profile: (method: string): string => join("profiles", `${method}.json`),
  journal: (trial: string): string => join("trials", trial, "evaluation.jsonl"),
  gallery: (trial: string): string => join("trials", trial, "gallery.safetensors"),
  inputUpdates: (trial: string): string => join("trials", trial, "input-updates.safetensors"),
  contrast: (trial: string): string => join("trials", trial, "contrast.safetensors"),
} as const;

export const writeJson = (path: string, value: unknown): Promise<void> =>
  writeWhole(path, `${JSON.stringify(value, null, 2)}\n`);

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT";

/** The text of a file, or null where there is none. */
async function textOf(path: string): Promise<string | null> {
  return readFile(path, "utf8").catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw new TemperError(`${path}: expected a readable file, got ${String(error)}`);
  });
}

/** How to get past a damaged file of a trial, by as little as can be done anew; null for files of the whole run. */
function trialRemedy(path: string): string | null {
  const folder = dirname(path);
  if (basename(dirname(folder)) !== paths.trial("")) return null;
  return basename(path) === basename(paths.row(""))
    ? "remove it, and this trial is evaluated again"
    : `remove the folder ${folder}, and this trial is run again`;
}

/** A JSON file checked by its schema, or null where there is none. */
export async function readJson<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S> | null> {
  const text = await textOf(path);
  if (text === null) return null;
  const remedy = trialRemedy(path);
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    fail(path, "JSON", `something else (the file is damaged; ${remedy ?? "--fresh starts the run over"})`);
  }
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return fail(
    path,
    `a file of Temper's (${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""})`,
    `something else${remedy === null ? "" : ` (${remedy})`}`,
  );
}

/** What a write that was cut off leaves behind. */
const isRemnant = (name: string): boolean => /\.\d+\.\d+\.tmp$/.test(name);

/**
 * Makes `folder` if it is not there, and makes sure that it is empty or a run's. Returns the run's record; with
 * `fresh` none is read, since a damaged one must not be in the way of starting over.
 */
export async function openFolder(
  folder: string,
  { fresh }: { readonly fresh: boolean },
): Promise<RunFile | null> {
  const entries = await readdir(folder).catch((error: unknown): string[] => {
    if (isMissing(error)) return [];
    throw new TemperError(`${folder}: expected a folder, got something else`);
  });
  const own: readonly string[] = [lockName, paths.profiles, paths.images];
  const foreign = entries.filter((name) => !own.includes(name) && !isRemnant(name));
  check(
    entries.includes(paths.run) || foreign.length === 0,
    folder,
    "an empty folder or one of Temper's runs",
    () => `a folder with ${foreign.slice(0, 3).join(", ")}${foreign.length > 3 ? ", …" : ""}`,
  );
  await makeFolder(folder);
  return fresh ? null : readJson(join(folder, paths.run), schemas.run);
}

/** Removes all that a run left in its folder, but not the lock. */
export async function emptyFolder(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (name !== lockName) await rm(join(folder, name), { recursive: true, force: true });
}

/** Removes what writes that were cut off left behind. */
export async function sweepFolder(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true }))
    if (isRemnant(name)) await rm(join(folder, name), { force: true });
}

const galleryTensors = ({ imageShape, features, ...gallery }: Gallery): Record<string, Tensor> => {
  const images = [gallery.labels.length, ...imageShape];
  const integers = (data: Int32Array): Tensor => tensor("int32", [data.length], data);
  return {
    originals: tensor("float32", images, gallery.originals),
    adversarial: tensor("float32", images, gallery.adversarial),
    labels: integers(gallery.labels),
    predictions: integers(gallery.predictions),
    adversarialPredictions: integers(gallery.adversarialPredictions),
    ...(features && { features: tensor("float32", features.shape, features.values) }),
  };
};

/** What a gallery's file says beside its tensors. */
interface About extends Pick<Gallery, "trial" | "case" | "method" | "seed" | "attack" | "imageShape"> {
  /** Filters of the first layer. */
  readonly filters?: number | null;
}

export async function writeGallery(path: string, gallery: Gallery): Promise<void> {
  const { trial, case: of, method, seed, attack, imageShape, features } = gallery;
  const filters = features?.total ?? null;
  const about = JSON.stringify({ trial, case: of, method, seed, attack, imageShape, filters });
  await writeWhole(path, encodeTensors(galleryTensors(gallery), { about }));
}

/** The gallery at `path`, or null where there is none. */
export async function readGallery(path: string): Promise<Gallery | null> {
  const file = await readFile(path).catch(() => null);
  if (file === null) return null;
  const { tensors, metadata } = decodeTensors(path, file);
  const { floats: floatsOf, integers: integersOf } = dataIn(path, tensors);
  const features = tensors["features"];
  const { filters = null, ...about } = JSON.parse(metadata["about"] ?? "{}") as About;
  return {
    ...about,
    originals: floatsOf("originals"),
    adversarial: floatsOf("adversarial"),
    labels: integersOf("labels"),
    predictions: integersOf("predictions"),
    adversarialPredictions: integersOf("adversarialPredictions"),
    features: features ? { shape: features.shape, values: floatsOf("features"), total: filters } : null,
  };
}

export const writeMetrics = (folder: string, lines: readonly MetricsLine[]): Promise<void> =>
  writeWhole(join(folder, paths.metrics), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));

/** What a run's trials reported of their epochs so far. */
export async function readMetrics(folder: string): Promise<MetricsLine[]> {
  const text = (await textOf(join(folder, paths.metrics))) ?? "";
  return text.split("\n").flatMap((line) => (line === "" ? [] : [schemas.metrics.parse(JSON.parse(line))]));
}

/** All that a finished run left behind; throws when it is not finished or not Temper's. */
export async function readRun(folder: string): Promise<RunRecord> {
  const run = await readJson(join(folder, paths.run), schemas.run);
  const results: ResultsFile | null = await readJson(join(folder, paths.results), schemas.results);
  if (run === null || results === null)
    return fail(folder, "the folder of a finished run", run === null ? "no run.json" : "no results.json yet");
  const metrics = await readMetrics(folder);
  const order = results.rows.map(trialName);
  const galleries = await Promise.all(order.map((trial) => readGallery(join(folder, paths.gallery(trial)))));
  const profiles = await readProfiles(folder, [...new Set(results.rows.map(methodName))]);
  const correct = await readCorrect(folder, order);
  const updates = await Promise.all(
    order.map((trial) => readInputUpdates(join(folder, paths.inputUpdates(trial)))),
  );
  const contrasts = await Promise.all(
    order.map((trial) => readContrast(join(folder, paths.contrast(trial)))),
  );
  return {
    ...{ run, results, metrics, profiles, correct },
    contrasts: contrasts.filter((each) => each !== null),
    galleries: galleries.filter((gallery) => gallery !== null),
    inputUpdates: updates.filter((each) => each !== null),
  };
}

/** Which images the models of `trials` read rightly, where it was kept. */
async function readCorrect(folder: string, trials: readonly string[]): Promise<Record<string, CorrectFile>> {
  const files = await Promise.all(
    trials.map(
      async (trial) => [trial, await readJson(join(folder, paths.correct(trial)), correctFile)] as const,
    ),
  );
  return Object.fromEntries(
    files.flatMap(([trial, file]) => (file === null ? [] : [[trial, file] as const])),
  );
}

/** Profiles of `methods`, where there are any. */
async function readProfiles(folder: string, methods: readonly string[]): Promise<StepProfile[]> {
  const read = (method: string): Promise<StepProfile | null> =>
    readJson(join(folder, paths.profile(method)), schemas.profile);
  return (await Promise.all(methods.map(read))).filter((profile) => profile !== null);
}
