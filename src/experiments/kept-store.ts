// results/: what is kept, read and written whole.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { writeWhole } from "../data/disk.js";
import type { Kept } from "./collect.js";
import { keptImages, keptResults } from "./kept-results.js";
import { readJson } from "./store.js";

const resultsEnding = ".json";
const imagesEnding = ".images.json";

/** What is kept of the recipe called `name`, null where nothing is. */
export async function readKept(folder: string, name: string): Promise<Kept | null> {
  const results = await readJson(join(folder, name + resultsEnding), keptResults);
  const images = await readJson(join(folder, name + imagesEnding), keptImages);
  if (results === null) return null;
  return { results, images: images ?? { schema: 1, kind: "temper-results-images", trials: {} } };
}

/** All that is kept in `folder`, by name. */
export async function readAllKept(folder: string): Promise<Kept[]> {
  const files = await readdir(folder).catch((): string[] => []);
  const names = files
    .filter((file) => file.endsWith(resultsEnding) && !file.endsWith(imagesEnding))
    .map((file) => file.slice(0, -resultsEnding.length))
    .sort((a, b) => (a < b ? -1 : 1));
  const all = await Promise.all(names.map((name) => readKept(folder, name)));
  return all.filter((kept) => kept !== null);
}

const block = (open: string, entries: readonly string[], close: string): string =>
  entries.length === 0 ? open + close : `${open}\n    ${entries.join(",\n    ")}\n  ${close}`;

const entry = ([key, value]: readonly [string, unknown]): string =>
  `${JSON.stringify(key)}: ${JSON.stringify(value)}`;

function blockOf(part: unknown): string {
  if (Array.isArray(part))
    return block(
      "[",
      part.map((each) => JSON.stringify(each)),
      "]",
    );
  if (typeof part === "object" && part !== null) return block("{", Object.entries(part).map(entry), "}");
  return JSON.stringify(part);
}

/** One line for each trial, so that a change of one is a change of one line. */
const byLine = (value: object): string =>
  `{\n${Object.entries(value)
    .map(([key, part]) => `  ${JSON.stringify(key)}: ${blockOf(part)}`)
    .join(",\n")}\n}\n`;

/** Writes what is kept of one recipe into `folder`. */
export async function writeKept(folder: string, { results, images }: Kept): Promise<void> {
  await writeWhole(join(folder, results.name + resultsEnding), byLine(results));
  await writeWhole(join(folder, results.name + imagesEnding), byLine(images));
}
