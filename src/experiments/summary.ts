// The files of a whole run: what decides it, its metrics while it goes on, its results.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { writeWhole } from "../data/disk.js";
import { recordOf, type RecipeFile } from "./cases.js";
import { environment } from "./environment.js";
import { datasetForm } from "./recipe-dataset.js";
import type { MetricsLine, ResultsFile, RunFile } from "./records.js";
import type { RunOptions } from "./run-options.js";
import type { DoneSearch } from "./search.js";
import { paths, writeJson, writeMetrics } from "./store.js";
import { knownMetrics } from "./trained-model.js";
import type { TrialResult } from "./trial.js";
import type { Trial } from "./trials.js";

/** Hash of all that decides the results. */
export function identityOf({ cases }: RecipeFile): string {
  const decisive = cases.map(({ description: _, name: __, smoke: ___, ...rest }) => rest);
  const [first] = decisive;
  const all = first?.case === undefined ? first : decisive;
  return createHash("sha256").update(JSON.stringify(all)).digest("hex");
}

/** Searches as run.json keeps them. */
export const searchRecords = (done: readonly DoneSearch[]): Pick<RunFile, "searches"> =>
  done.length === 0 ? {} : { searches: done.map(({ record }) => record) };

export interface BeginOptions {
  /** The record that lay in the folder. */
  readonly before: RunFile | null;
  /** Processes side by side. */
  readonly jobs: number;
  readonly done: readonly DoneSearch[];
}

/** Writes run.json of a run that is not finished, and the recipe beside it; returns the record. */
export async function beginRun(
  { recipe, text, folder, provider = "cpu" }: RunOptions,
  { before, jobs, done }: BeginOptions,
): Promise<RunFile> {
  const run: RunFile = {
    schema: 1,
    kind: "temper-run",
    name: recipe.name,
    recipe: recordOf(recipe),
    identity: identityOf(recipe),
    ...(recipe.smoke && { smoke: [...recipe.smoke] }),
    environment: environment({ provider, threads: recipe.threads, jobs }),
    started: before?.started ?? new Date().toISOString(),
    finished: null,
    times: {},
    ...searchRecords(done),
  };
  await writeJson(join(folder, paths.run), run);
  await writeWhole(join(folder, paths.recipe), text);
  return run;
}

export interface MetricsLog {
  add(line: MetricsLine): void;
  /** Resolves when all is written. */
  settled(): Promise<void>;
}

/** Keeps metrics.jsonl complete while trials run: what earlier runs left, then a line for each epoch. */
export async function metricsLog(folder: string, trials: readonly Trial[]): Promise<MetricsLog> {
  const lines = (await Promise.all(trials.map((trial) => knownMetrics(folder, trial)))).flat();
  await writeMetrics(folder, lines);
  let writing = Promise.resolve();
  return {
    add(line: MetricsLine): void {
      lines.push(line);
      writing = writing.then(() => writeMetrics(folder, lines));
    },
    settled: () => writing,
  };
}

/** The whole run's files, in the recipe's order whatever the order of the trials. */
export async function writeSummary(
  folder: string,
  run: RunFile,
  trials: readonly Trial[],
  results: ReadonlyMap<string, TrialResult>,
): Promise<ResultsFile> {
  const ordered = trials.flatMap((trial) => {
    const result = results.get(trial.name);
    return result ? [{ name: trial.name, ...result }] : [];
  });
  const file: ResultsFile = {
    schema: 1,
    dataset: [...new Set(trials.map(({ recipe }) => datasetForm(recipe.dataset).name))].join(", "),
    ...(run.smoke && { smoke: run.smoke }),
    rows: ordered.map(({ row }) => row),
  };
  await writeMetrics(
    folder,
    ordered.flatMap(({ metrics }) => metrics),
  );
  await writeJson(join(folder, paths.results), file);
  const times = Object.fromEntries(ordered.map(({ name, seconds }) => [name, seconds]));
  const isWhole = ordered.length === trials.length;
  const finished = isWhole ? (run.finished ?? new Date().toISOString()) : null;
  await writeJson(join(folder, paths.run), { ...run, finished, times });
  return file;
}
