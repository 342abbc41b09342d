// Before a run begins: preprocessing fitted once, so that every process of it finds the values in the cache.
import { Interrupted } from "../defenses/train.js";
import { fitPreprocessing } from "./input-preprocessing.js";
import { openMaterials } from "./materials.js";
import type { Recipe } from "./recipe.js";
import type { RunOptions } from "./run-options.js";
import { doneTraining } from "./trained-model.js";
import type { Trial } from "./trials.js";

/** The recipes with preprocessing among `trials` of which one is still to be trained. */
async function recipesLeft(folder: string, trials: readonly Trial[]): Promise<Set<Recipe>> {
  const left = new Set<Recipe>();
  for (const trial of trials)
    if (trial.recipe.preprocessing !== undefined && (await doneTraining(folder, trial)) === null)
      left.add(trial.recipe);
  return left;
}

/** Fits what the trainings that are left need. Throws `Interrupted` when the signal fires. */
export async function fitTrials(options: RunOptions, trials: readonly Trial[]): Promise<void> {
  const { folder, signal } = options;
  const left = await recipesLeft(folder, trials);
  for (const [recipe, { dataset, close }] of await openMaterials([...left], options)) {
    const onFit = (): void => options.onEvent?.({ kind: "preprocessing", dataset: dataset.name });
    await fitPreprocessing(recipe, dataset, { signal, onFit }).catch((error: unknown) => {
      throw signal?.aborted === true ? new Interrupted("run") : error;
    });
    await close();
  }
}
