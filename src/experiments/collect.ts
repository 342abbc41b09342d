// Brings a recipe's finished trials together, from the folder of its run and from what was kept of earlier ones.
import { join } from "node:path";
import { check } from "../base/errors.js";
import { withFound } from "./candidates.js";
import type { RecipeFile } from "./cases.js";
import { correctFile, type CorrectFile } from "./correctness.js";
import type { KeptImages, KeptResults, KeptTrial } from "./kept-results.js";
import { datasetForm } from "./recipe-dataset.js";
import { schemas, type MetricsLine } from "./records.js";
import { foundValues, searchesDone } from "./search.js";
import { filesAmong } from "./sources.js";
import { paths, readJson } from "./store.js";
import { searchRecords } from "./summary.js";
import { finishedTrial, rowIdentity } from "./trial.js";
import { trialsOf, type Trial } from "./trials.js";

export interface Kept {
  readonly results: KeptResults;
  readonly images: KeptImages;
}

export interface CollectOptions {
  readonly recipe: RecipeFile;
  /** The recipe's path in the repository. */
  readonly path: string;
  /** Of the run; it need not exist. */
  readonly folder: string;
  /** What was kept before. */
  readonly before: Kept | null;
}

/** What `collect` returns: what is to be kept, and what has become of what was kept before. */
export interface Collected extends Kept {
  /** Trials that are new or have come out otherwise. */
  readonly taken: readonly string[];
  /** Trials that were kept of a recipe that has changed since. */
  readonly dropped: readonly string[];
}

/** What an epoch's metrics say of errors; the rest can be had from the run. */
const curveNames = ["error", "testError", "validationError"] as const;

function curvesOf(metrics: readonly MetricsLine[]): KeptTrial["curves"] {
  const recorded = curveNames.filter((name) => metrics.some(({ metrics: of }) => name in of));
  return Object.fromEntries(
    recorded.map((name) => [name, metrics.map(({ metrics: of }) => of[name] ?? null)]),
  );
}

interface Found {
  readonly trial: KeptTrial;
  readonly images: CorrectFile | null;
}

/** The trial as its run's folder has it, null where it is not finished there. */
async function inFolder(folder: string, trial: Trial): Promise<Found | null> {
  const finished = await finishedTrial({ folder, sourceFiles: [] }, trial);
  if (finished === null) return null;
  const images = await readJson(join(folder, paths.correct(trial.name)), correctFile);
  const { row, identity, model, seconds, environment, metrics } = finished;
  return {
    images,
    trial: {
      ...{ trial: trial.name, identity, row, split: "test", n: images?.n ?? null, model, seconds },
      environment: { ...environment },
      curves: curvesOf(metrics),
    },
  };
}

/** The trial as it was kept, null where that was of another recipe. */
function amongKept(before: Kept | null, trial: Trial): Found | null {
  const kept = before?.results.kept.find((each) => each.trial === trial.name);
  if (kept?.identity !== rowIdentity(trial, [])) return null;
  return { trial: kept, images: before?.images.trials[trial.name] ?? null };
}

/** Finished trials of `recipe`: those of the run's folder, and those kept before that are still of this recipe. */
export async function collect({ recipe, path, folder, before }: CollectOptions): Promise<Collected> {
  const { name, published, questions, cases } = recipe;
  const files = cases.flatMap(({ evaluation }) => filesAmong(evaluation.transferFrom));
  check(files.length === 0, path, "points crafted on trials of the recipe alone", () => files.join(", "));
  const run = await readJson(join(folder, paths.run), schemas.run);
  const searches = searchesDone(recipe, [...(run?.searches ?? []), ...(before?.results.searches ?? [])]);
  const trials = trialsOf(withFound(recipe, foundValues(searches)));
  const found: Found[] = [];
  const taken: string[] = [];
  for (const trial of trials) {
    const known = amongKept(before, trial);
    const now = (await inFolder(folder, trial)) ?? known;
    if (now === null) continue;
    found.push(now);
    if (now !== known && now.trial.model !== known?.trial.model) taken.push(trial.name);
  }
  const kept = new Set(found.map(({ trial }) => trial.trial));
  const [first] = cases;
  return {
    results: {
      ...{ schema: 1, kind: "temper-results", name, recipe: path },
      description: first?.description ?? null,
      dataset: [...new Set(cases.map(({ dataset }) => datasetForm(dataset).name))].join(", "),
      published: [...published],
      questions: [...questions],
      ...searchRecords(searches),
      trials: trials.map((trial) => trial.name),
      kept: found.map(({ trial }) => trial),
    },
    images: {
      ...{ schema: 1, kind: "temper-results-images" },
      trials: Object.fromEntries(
        found.flatMap(({ trial, images }) => (images === null ? [] : [[trial.trial, images]])),
      ),
    },
    taken,
    dropped: (before?.results.kept ?? []).map(({ trial }) => trial).filter((trial) => !kept.has(trial)),
  };
}
