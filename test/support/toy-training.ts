// Trains small networks on the toy data.
import type { Augmentation } from "../../src/augmentations/augmentation.js";
import type { Defense } from "../../src/defenses/defense.js";
import { buildTrainStep, type TrainStep } from "../../src/defenses/train-step.js";
import type { WeightRules } from "../../src/defenses/weight-rules.js";
import { train, type TrainOptions } from "../../src/defenses/train.js";
import { initialState, type TrainingState } from "../../src/defenses/training-state.js";
import { activation, batchNorm, dense, dropout, flatten } from "../../src/nn/layers/index.js";
import type { Model } from "../../src/nn/model.js";
import { sequential } from "../../src/nn/sequential.js";
import { sgd } from "../../src/optim/index.js";
import type { Optimizer } from "../../src/optim/optimizer.js";
import { localEngine } from "../../src/runtime/engine.js";
import { toyShape, toySplit } from "./toy-data.js";

export const toyModel = (): Model =>
  sequential("toy", toyShape, [
    flatten(),
    dense(16),
    batchNorm(),
    activation("relu"),
    dropout(0.2),
    dense(4),
  ]);

export interface ToyOptions extends WeightRules {
  readonly model?: Model;
  readonly optimizer?: Optimizer;
  readonly epochs?: number;
  readonly seed?: number;
  readonly pixels?: "uint8" | "float32";
  readonly count?: number;
  readonly labelSmoothing?: number;
  readonly augmentation?: readonly Augmentation[];
}

export const toyStep = (defense: Defense, options: ToyOptions = {}): TrainStep =>
  buildTrainStep({
    model: options.model ?? toyModel(),
    defense,
    optimizer: options.optimizer ?? sgd({ momentum: 0.9 }),
    loss: "softmax-cross-entropy",
    labelSmoothing: options.labelSmoothing ?? 0,
    weightDecay: options.weightDecay,
    maxNorm: options.maxNorm,
    bounds: [0, 1],
    augmentation: options.augmentation ?? [],
    ...(options.pixels && { pixels: options.pixels }),
  });

/** Trains on 100 toy images in batches of 16 (the last one short), from the start unless told otherwise. */
export async function trainToy(
  defense: Defense,
  options: ToyOptions = {},
  overrides: Partial<TrainOptions> = {},
): Promise<TrainingState> {
  const { model = toyModel(), epochs = 2, seed = 0 } = options;
  const engine = localEngine({ threads: 1 });
  const step = toyStep(defense, { ...options, model });
  const split = toySplit(options.count ?? 100);
  return train({
    engine,
    step,
    split,
    imageShape: toyShape,
    epochs,
    batchSize: 16,
    seed,
    schedule: 0.1,
    state: initialState(step, model.initialize(seed), split),
    name: "toy",
    ...overrides,
  });
}
