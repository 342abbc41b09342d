// What the disk says of a run, read beside the process that may be at work on it: no lock is taken, nothing written.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { check, fail } from "../base/errors.js";
import { searchesOf, withFound } from "./candidates.js";
import type { RecipeFile } from "./cases.js";
import { journalProgress } from "./journal.js";
import { lockHolder } from "./lock.js";
import { openSourceFiles } from "./materials.js";
import { parseRecipe } from "./recipe-file.js";
import { schemas, type RunFile } from "./records.js";
import { searchStatus, type SearchStatus } from "./search-status.js";
import { foundValues, searchesDone } from "./search.js";
import { smokeRecipe } from "./smoke.js";
import { filesAmong, type SourceFile } from "./sources.js";
import { statusOf, type RunStatus, type TrialFacts } from "./status.js";
import { paths, readJson, readMetrics } from "./store.js";
import { identityOf } from "./summary.js";
import { doneTraining, savedProgress, takesPlace } from "./trained-model.js";
import { finishedTrial } from "./trial.js";
import { trialsOf, type Trial } from "./trials.js";

interface Place {
  readonly folder: string;
  readonly sourceFiles: readonly SourceFile[];
  /** Whole epochs of each trial that the run's metrics have. */
  readonly reported: ReadonlyMap<string, number>;
}

/** What comes first in a trial's life is read first: what a process moves on meanwhile is seen further, never nowhere. */
async function factsOf(place: Place, trial: Trial): Promise<TrialFacts> {
  const { folder, reported } = place;
  if (trial.method.isOpen === true)
    return { trial, process: null, saved: null, strikes: [], reported: 0, training: null, result: null };
  check(
    !(await takesPlace(folder, trial)),
    folder,
    "trainings of this recipe",
    () => `another one of ${trial.name}`,
  );
  const process = await lockHolder(join(folder, paths.trial(trial.name)));
  const saved = await savedProgress(folder, trial);
  const strikes = await journalProgress(join(folder, paths.journal(trial.name)));
  const training = await doneTraining(folder, trial);
  const result = await finishedTrial(place, trial);
  return {
    ...{ trial, process, saved, strikes, reported: reported.get(trial.name) ?? 0 },
    training: training && { epochs: training.metrics.length, seconds: training.seconds },
    result: result && { clean: result.row.clean, seconds: result.seconds.evaluation },
  };
}

/** The recipe that the run in `folder` is of: `recipe`, which may have grown or got another name, or its smoke run. */
function ownRecipe(folder: string, run: RunFile, recipe: RecipeFile): RecipeFile {
  const both = [recipe, smokeRecipe(recipe)];
  const own =
    both.find((each) => identityOf(each) === run.identity) ?? both.find(({ name }) => name === run.name);
  return own ?? fail(folder, `a run of '${recipe.name}'`, `one of '${run.name}'`);
}

/** The recipe that is kept in a run's folder. */
async function keptRecipe(folder: string): Promise<RecipeFile> {
  const path = join(folder, paths.recipe);
  const text = await readFile(path, "utf8").catch(() => fail(path, "the run's recipe", "no such file"));
  const recipe = parseRecipe(text, path);
  const files = recipe.cases.flatMap(({ evaluation }) => filesAmong(evaluation.transferFrom));
  check(files.length === 0, folder, "the recipe's own path, with --out, where it names files", () =>
    files.join(", "),
  );
  return recipe;
}

export interface StatusOptions {
  /** Default: the one that is kept in the folder. */
  readonly recipe?: RecipeFile;
  /** The folder that files named in the recipe are relative to; default the current one. */
  readonly base?: string;
}

/**
 * How far the run in `folder` is; where it has not begun, all of the given recipe waits. Throws where there is neither run nor
 * recipe, and where the run is of another one. Another process may be at work in it.
 */
export async function runStatus(folder: string, options: StatusOptions = {}): Promise<RunStatus> {
  const run = await readJson(join(folder, paths.run), schemas.run);
  const recipe =
    run === null
      ? (options.recipe ?? fail(folder, "the folder of a run", "none that has begun (no run.json)"))
      : ownRecipe(folder, run, options.recipe ?? (await keptRecipe(folder)));
  const reported = new Map((await readMetrics(folder)).map(({ trial, epoch }) => [trial, epoch]));
  const done = searchesDone(recipe, run?.searches);
  const searches: SearchStatus[] = [];
  for (const search of recipe.cases.flatMap(searchesOf))
    searches.push(await searchStatus(folder, search, done));
  const trials: TrialFacts[] = [];
  for (const of of withFound(recipe, foundValues(done)).cases) {
    const place = { folder, reported, sourceFiles: await openSourceFiles(of, options.base ?? ".") };
    for (const trial of trialsOf({ cases: [of] })) trials.push(await factsOf(place, trial));
  }
  const jobs = run?.environment.jobs ?? 1;
  return statusOf({ name: recipe.name, folder, process: await lockHolder(folder), jobs, searches, trials });
}
