// `--dataset`, `--split`, `--preprocess`, and the YAML beside a model.
import { Option } from "@commander-js/extra-typings";
import { check, fail } from "../base/errors.js";
import type { Unreadable } from "../data/image-folder.js";
import type { ImageSet } from "../data/image-set.js";
import type { Preprocessing } from "../data/preprocessing.js";
import { exists, readBytes, readText } from "./files.js";
import { repeated } from "./parse.js";
import { readSettings } from "./settings.js";

export const datasetText =
  "a dataset out of: temper list datasets; or the path of a folder of images with one sub-folder per class, or of " +
  "an .npz archive";

export const preprocessOption = new Option(
  "--preprocess <option=value>",
  "what makes an input of an image: resize, interpolation, crop, range, mean, std, channels, layout; and classes; " +
    "like crop=224; may be repeated",
)
  .argParser(repeated)
  .default([], "what the .yaml beside the model says");

export const splitOption = new Option(
  "--split <name>",
  "images to use, of a dataset or an archive with such parts (default: test)",
).choices(["test", "train"] as const);

export const unreadableOption = new Option(
  "--unreadable <what>",
  "images of a folder that cannot be read: refuse ends at the first, skip leaves them out, counted",
)
  .choices(["refuse", "skip"] as const)
  .default("refuse" as const);

/** Throws where `--unreadable skip` was given for images that are not those of a folder. */
export function checkUnreadable(unreadable: Unreadable, isFolder: boolean, given: string): void {
  check(unreadable === "refuse" || isFolder, "--unreadable skip", "a folder of images", () => given);
}

const hostKeys = ["resize", "interpolation", "crop"];

export interface FoundPreprocessing {
  readonly preprocessing: Preprocessing;
  /** The file it comes from, for the user. */
  readonly notes: readonly string[];
}

/** What the YAML beside `model` (null where it is no file) says, and over it what `--preprocess` was given. */
export async function preprocessingFor(
  model: string | null,
  given: readonly string[],
): Promise<FoundPreprocessing> {
  const [{ overridden, parsePreprocessing, preprocessingLines, yamlBeside }, { readPreprocessing }] =
    await Promise.all([import("../experiments/preprocessing.js"), import("../data/preprocessing.js")]);
  const file = model === null ? null : yamlBeside(model);
  const isThere = file !== null && (await exists(file));
  const base = isThere
    ? parsePreprocessing(await readText(file, "preprocessing"), file)
    : readPreprocessing("preprocessing", {});
  const scope = { units: ["preprocess"], main: ["preprocess"], flag: "--preprocess" };
  const settings = (await readSettings(given, scope))["preprocess"] ?? {};
  const preprocessing = overridden(base, settings);
  const from = isThere ? ` (${file}${given.length > 0 ? " and --preprocess" : ""})` : "";
  const keys = preprocessingLines(preprocessing).join("; ");
  const said = keys.length > 500 ? `${keys.slice(0, 500)} …` : keys;
  return { preprocessing, notes: said === "" ? [] : [`preprocessing: ${said}${from}`] };
}

/** Throws where `--preprocess` resizes images that are not resized, all but those of a folder, or names a dataset's classes. */
export function checkHostSteps(
  given: readonly string[],
  { name, source }: Pick<ImageSet, "name" | "source">,
): void {
  const keys = given.map((text) => text.split("=")[0]?.trim() ?? "");
  if (source === "dataset" && keys.includes("classes"))
    fail("--preprocess classes", "a folder of images or an .npz archive", `${name}, whose classes are known`);
  const key = keys.find((each) => hostKeys.includes(each));
  if (key === undefined || source === "folder") return;
  fail(`--preprocess ${key}`, "a folder of images", name, "range, mean, std, channels, layout, classes");
}

/** The YAML to write beside `out`, null where none is needed; throws where another one lies there. */
export async function yamlToWrite(
  out: string,
  preprocessing: Preprocessing,
): Promise<{ path: string; text: string } | null> {
  const { preprocessingLines, yamlBeside } = await import("../experiments/preprocessing.js");
  const lines = preprocessingLines(preprocessing);
  if (lines.length === 0) return null;
  const text = `${lines.join("\n")}\n`;
  const path = yamlBeside(out);
  const before = (await exists(path)) ? new TextDecoder().decode(await readBytes(path, "a file")) : text;
  check(before === text, path, "no file, or the preprocessing that is used here", () => "another file");
  return { path, text };
}
