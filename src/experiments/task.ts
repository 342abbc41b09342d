// A task: one trial's training, or all of it, as it is given to a process of its own.
import { join } from "node:path";
import { fail } from "../base/errors.js";
import { makeFolder } from "../data/disk.js";
import type { Progress } from "../defenses/train.js";
import type { Progress as EvaluationProgress } from "../evaluation/evaluate.js";
import { workerEngine } from "../runtime/worker-engine.js";
import type { RecipeFile } from "./cases.js";
import { fitPreprocessing, imagesSeen } from "./input-preprocessing.js";
import { lockFolder } from "./lock.js";
import { openMaterials } from "./materials.js";
import type { MetricsLine } from "./records.js";
import { paths } from "./store.js";
import { trainUntil } from "./train-until.js";
import { trainedModel } from "./trained-model.js";
import { runTrial, type TrialResult } from "./trial.js";
import { trialsOf } from "./trials.js";

/** Plain data: it travels to another process. */
export interface Task {
  readonly recipe: RecipeFile;
  /** The trial's name. */
  readonly trial: string;
  /** Train alone: others wait for the model, and its own evaluation may need theirs. */
  readonly trainOnly: boolean;
  readonly folder: string;
  readonly base: string;
  readonly smoke: boolean;
  readonly provider: string;
  /** Of a candidate of a search: train so many epochs and keep the state. */
  readonly until?: number;
  /** Seconds between checkpoints. */
  readonly saveEvery: number;
}

/** What happens meanwhile. */
export type TaskEvent =
  | { readonly kind: "training"; readonly trial: string; readonly progress: Progress }
  | { readonly kind: "epoch"; readonly trial: string; readonly line: MetricsLine }
  | { readonly kind: "evaluation"; readonly trial: string; readonly progress: EvaluationProgress };

export interface TaskOptions {
  readonly signal: AbortSignal;
  readonly onEvent: (event: TaskEvent) => void;
}

/** The process that had the trial may have been killed a moment ago; it takes no longer than this to end. */
const patience = 20_000;

/** Does what is left of the task in this process; null where only training was asked for. Throws `Interrupted` when the signal fires. */
export async function performTask(task: Task, { signal, onEvent }: TaskOptions): Promise<TrialResult | null> {
  const trial =
    trialsOf(task.recipe).find(({ name }) => name === task.trial) ??
    fail("run", "a trial of this recipe", task.trial);
  const { recipe, name } = trial;
  const place = join(task.folder, paths.trial(name));
  await makeFolder(place);
  const unlock = await lockFolder(place, { patience });
  const engine = workerEngine({ threads: recipe.threads, provider: task.provider });
  let close = (): Promise<void> => Promise.resolve();
  try {
    const materials = (await openMaterials([recipe], task)).get(recipe);
    if (materials === undefined) return fail("run", "a trial of this recipe", name);
    close = () => materials.close();
    const fitted = await fitPreprocessing(recipe, materials.dataset, { signal });
    const dataset = await imagesSeen(recipe, materials.dataset, { fitted: fitted ?? {}, engine, signal });
    const context = {
      ...{ ...materials, dataset, fitted, engine, signal, folder: task.folder, saveEvery: task.saveEvery },
      onProgress: (progress: Progress) => onEvent({ kind: "training", trial: name, progress }),
      onEvaluation: (progress: EvaluationProgress) => onEvent({ kind: "evaluation", trial: name, progress }),
      onEpoch: (line: MetricsLine) => onEvent({ kind: "epoch", trial: name, line }),
    };
    if (task.until !== undefined) await trainUntil(context, trial, task.until);
    else if (task.trainOnly) await trainedModel(context, trial);
    else return await runTrial(context, trial);
    return null;
  } finally {
    await engine.close();
    await close();
    await unlock();
  }
}
