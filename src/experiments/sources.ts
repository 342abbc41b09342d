// `evaluation.transferFrom` of recipes: models on which points are crafted, trials of the recipe or files.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { z } from "zod";
import { checkTransfer, type TransferSource } from "../attacks/transfer.js";
import { check, fail, failUnknown } from "../base/errors.js";
import { OptionError, parseOptions } from "../base/options.js";
import { readPreprocessing } from "../data/preprocessing.js";
import type { Model } from "../nn/model.js";
import { openOver } from "./fit.js";
import { parsePreprocessing, yamlBeside } from "./preprocessing.js";
import type { DatasetForm } from "./recipe-dataset.js";

/** A method's model of one seed, or an ONNX file; paths are relative to the recipe. */
export type SourceEntry = { readonly method: string; readonly seed: number } | { readonly file: string };

const methodEntry = z.strictObject({
  method: z.string(),
  seed: z.int().min(0).optional().describe("default: the recipe's first"),
});
const fileEntry = z.strictObject({ file: z.string().min(1) });
const isFileName = (text: string): boolean => /\.onnx$/i.test(text);

/** One entry: `method`, `path.onnx`, `{ method, seed }` or `{ file }`. */
function readEntry(
  given: unknown,
  { methods, seeds }: { readonly methods: readonly string[]; readonly seeds: readonly number[] },
): SourceEntry {
  const where = "evaluation.transferFrom";
  if (typeof given === "string" && isFileName(given)) return { file: given };
  if (typeof given === "object" && given !== null && "file" in given)
    return parseOptions(where, fileEntry, given);
  const { method, seed = seeds[0] ?? 0 } = parseOptions(
    where,
    methodEntry,
    typeof given === "string" ? { method: given } : given,
  );
  if (!methods.includes(method))
    failUnknown(where, "method", method, [...methods, "a file that ends in .onnx"]);
  check(seeds.includes(seed), where, `a seed of the recipe (${seeds.join(", ")})`, () => String(seed));
  return { method, seed };
}

/** The entries of a recipe with these methods and seeds; one entry needs no list. */
export function readSources(
  given: unknown,
  recipe: { readonly methods: readonly string[]; readonly seeds: readonly number[] },
): SourceEntry[] {
  const entries = (Array.isArray(given) ? (given as unknown[]) : [given]).map((each) =>
    readEntry(each, recipe),
  );
  const keys = entries.map((entry) => JSON.stringify(entry));
  const twice = keys.find((key, i) => keys.indexOf(key) !== i);
  if (twice !== undefined) throw new OptionError(`evaluation.transferFrom: ${twice} comes twice`, []);
  return entries;
}

/** Paths of the files among `entries`. */
export const filesAmong = (entries: readonly SourceEntry[] = []): string[] =>
  entries.flatMap((entry) => ("file" in entry ? [entry.file] : []));

/** A file to craft on, opened. */
export interface SourceFile extends TransferSource {
  /** Of what decides it: the file, and the YAML beside it. */
  readonly identity: string;
}

/** The YAML beside a model, empty where there is none. */
const textBeside = (path: string): Promise<string> => readFile(yamlBeside(path), "utf8").catch(() => "");

/** Opens the files among `entries`, behind the preprocessing that lies beside them; they must fit images and `model`. */
export function openSources(
  entries: readonly SourceEntry[],
  images: DatasetForm,
  { model, base }: { readonly model: Model; readonly base: string },
): Promise<SourceFile[]> {
  const files = filesAmong(entries);
  const names = files.map((file) => basename(file));
  return Promise.all(
    files.map(async (file, i) => {
      const path = resolve(base, file);
      const bytes = await readFile(path).catch(() => fail(file, "an ONNX file", "none that can be read"));
      const yaml = await textBeside(path);
      const preprocessing =
        yaml.trim() === "" ? readPreprocessing(file, {}) : parsePreprocessing(yaml, yamlBeside(file));
      const { classifier } = openOver(path, bytes, images, { preprocessing });
      const isOnly = names.filter((name) => name === names[i]).length === 1;
      const source = { classifier, name: isOnly ? basename(file) : file };
      checkTransfer(source, model);
      return { ...source, identity: createHash("sha256").update(bytes).update(yaml).digest("hex") };
    }),
  );
}
