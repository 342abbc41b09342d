// Evaluates a model's file under planned attacks: the one way for runs and audits, so that both give one figure.
import type { TransferSource } from "../attacks/transfer.js";
import type { EvaluationData } from "../evaluation/data.js";
import { evaluate, type Progress } from "../evaluation/evaluate.js";
import type { Journal } from "../evaluation/journal.js";
import type { Evaluation } from "../evaluation/records.js";
import type { Classifier } from "../nn/model.js";
import type { Engine } from "../runtime/engine.js";
import type { AttackPlan } from "./attack-plan.js";
import { make } from "./recipe.js";
import { transferTrials } from "./transfer.js";

export interface AssessOptions {
  readonly engines: readonly Engine[];
  readonly attacks: readonly AttackPlan[];
  /** Other models: what the attacks make of the images there is tried here too; default none. */
  readonly transferFrom?: readonly TransferSource[];
  readonly labels: "true" | "predicted";
  readonly seed: number;
  readonly batchSize: number;
  readonly limit?: number | undefined;
  /** Each k counts the clean images whose label is among the k highest outputs; default none. */
  readonly top?: readonly number[] | undefined;
  /** Images of each attack to return. */
  readonly examples?: number;
  /** Images that each attack does most to, to return. */
  readonly worst?: number;
  readonly worstCase?: boolean;
  readonly journal?: Journal;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** Accuracy of `classifier` on `data`, clean and under each attack at each radius. */
export function assess(
  classifier: Classifier,
  data: EvaluationData,
  options: AssessOptions,
): Promise<Evaluation> {
  const { attacks, transferFrom = [], limit, top, journal, signal, onProgress, ...rest } = options;
  const own = attacks.map(({ epsilons, norm, targeted = false, ...reference }) => ({
    attack: make.attack(reference),
    norm,
    epsilons,
    targeted,
  }));
  return evaluate(classifier, data, {
    ...rest,
    trials: [...own, ...transferTrials(classifier, own, transferFrom)],
    ...(limit !== undefined && { limit }),
    ...(top && { top }),
    ...(journal && { journal }),
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  });
}
