// Harden: train one model – fresh from an architecture, or out of a file – under defences; a classifier comes out.
import { z } from "zod";
import type { Augmentation } from "../augmentations/augmentation.js";
import { check } from "../base/errors.js";
import { parseOptions } from "../base/options.js";
import { readPreprocessing, type Preprocessing } from "../data/preprocessing.js";
import { loadCheckpoint, saveCheckpoint } from "../defenses/checkpoint.js";
import { compose } from "../defenses/compose.js";
import type { Defense } from "../defenses/defense.js";
import type { Spent } from "../defenses/stopwatch.js";
import { largestBatch, movedBytes, trainingMemory } from "../defenses/memory.js";
import { train, type Progress } from "../defenses/train.js";
import { buildTrainStep, type TrainStep } from "../defenses/train-step.js";
import type { WeightDecay } from "../defenses/weight-rules.js";
import { initialState, type EpochRecord, type TrainingState } from "../defenses/training-state.js";
import type { Architecture } from "../nn/architectures/architecture.js";
import { checkDrawsNothing, classifierFile } from "../nn/classifier.js";
import { lossNames, type LossName } from "../nn/loss-names.js";
import type { Classifier, Weights } from "../nn/model.js";
import type { Optimizer } from "../optim/optimizer.js";
import { scheduleSchema, type Schedule } from "../optim/schedule.js";
import { sgd } from "../optim/sgd.js";
import type { Engine } from "../runtime/engine.js";
import { workerEngine } from "../runtime/worker-engine.js";
import type { EarlyStopping } from "../defenses/selection.js";
import { imageSize, pixelsOf, type AnySplit } from "../data/dataset.js";
import { openMonitor, updated } from "./curves.js";
import { checkFit, fitted, inputMapOf } from "./fit.js";
import type { TrainingSet } from "./images.js";
import { checkMemory, machineMemory } from "./machine-memory.js";
import { openParts } from "./training-parts.js";
import {
  checkTraining,
  curvesSchema,
  earlyStoppingSchema,
  validationSchema,
  weightDecaySchema,
  type Curves,
  type Training,
} from "./training-section.js";

export interface HardenOptions {
  /** An architecture starts from fresh weights, a classifier goes on from its own. */
  readonly model: Architecture | Classifier;
  /** A dataset, or images held whole (`loadWhole`) or read as training goes (`streamed`); curves on test images need a `test`. */
  readonly dataset: TrainingSet & { readonly test?: AnySplit };
  /** What lies between pixels in [0, 1] and the model, no part of the file that is written; default nothing. */
  readonly preprocessing?: Partial<Preprocessing>;
  /** Outermost first; none is standard training. */
  readonly defenses: readonly Defense[];
  /** Default plain SGD. */
  readonly optimizer?: Optimizer;
  /** Changes of the training images, in this order; default none. */
  readonly augmentation?: readonly Augmentation[];
  /** Keeps the first so many stored inputs after each of the first epochs, where a defence moves them. */
  readonly inputUpdates?: { readonly images: number; readonly epochs: number } | undefined;
  /** Default the optimizer's own. */
  readonly learningRate?: Schedule;
  /** Passes over the training images, default 10. */
  readonly epochs?: number;
  /** Images a step, at least 2, default 128. */
  readonly batchSize?: number;
  /** Default the model's own: `margin` for CapsNet, else `softmax-cross-entropy`. */
  readonly loss?: LossName;
  /** λ·Σw² over the weights of chosen layers, in the gradient alone; default none. */
  readonly weightDecay?: WeightDecay | undefined;
  /** Bound on the L2 norm of each unit's incoming weights at the start of a step; default 0, none. */
  readonly maxNorm?: number | undefined;
  /** In [0, 1], default 0. */
  readonly labelSmoothing?: number;
  /** Decides starting weights, order and noise; default 0. */
  readonly seed?: number;
  /** Held out of the training images, whatever the seed: the last `last`, or a `fraction` of all; default none. */
  readonly validation?: Training["validation"];
  /** What is measured after each epoch; default nothing. */
  readonly curves?: Curves | undefined;
  /** End with the weights of the best validation accuracy, the first of equal ones; default false. */
  readonly restoreBest?: boolean | undefined;
  /** Ends training when validation accuracy gains nothing; default never. */
  readonly earlyStopping?: EarlyStopping | undefined;
  /** Only the first images of those left for training; default all. */
  readonly limit?: number | undefined;
  /** Default: one of its own on all cores. */
  readonly engine?: Engine;
  /** Where to save the state and continue from, every so many seconds; `identity` names everything that decides it. */
  readonly checkpoint?: { readonly folder: string; readonly identity: string; readonly every: number };
  /** Names the training in messages; default the model's name. */
  readonly name?: string;
  /** Stored in the file. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Throws `Interrupted` when it fires, with the state saved. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  readonly onEpoch?: (record: EpochRecord) => void;
}

/** A hardened classifier, and what was spent on training it, earlier parts included. */
export interface Hardened extends Spent {
  readonly classifier: Classifier;
  /** The classifier as an ONNX file: that of `exportClassifier`, or the one it came from with what was trained. */
  readonly file: Uint8Array;
  readonly history: readonly EpochRecord[];
  /** The first stored inputs after each epoch that `inputUpdates` asks for: [images, …]. */
  readonly snapshots: readonly Float32Array[];
}

/** The classifier to start from, its weights as soon as they are asked for. */
interface Start extends Omit<Classifier, "weights"> {
  readonly weights: () => Weights;
}

function startOf({ model: start, dataset, seed = 0 }: HardenOptions): Start {
  if (typeof start !== "function") return { ...start, weights: () => start.weights };
  const model = start({ inputShape: dataset.imageShape, classes: dataset.classes });
  return { model, weights: () => model.initialize(seed), bounds: dataset.bounds ?? [0, 1] };
}

const preprocessingOf = ({ preprocessing }: HardenOptions): Preprocessing =>
  readPreprocessing("preprocessing", preprocessing);

/** The training step, over the model with what the images need in front of it. */
function stepOf({ model: start, bounds }: Pick<Classifier, "model" | "bounds">, options: HardenOptions) {
  const { imageShape, train: images } = options.dataset;
  const model = fitted(start, imageShape, inputMapOf(start, imageShape, preprocessingOf(options)));
  const trains = model.parameters.some(({ trainable }) => trainable);
  check(trains, model.name, "a tensor to train", () => "none");
  checkDrawsNothing(model, "to harden it");
  const optimizer = options.optimizer ?? sgd();
  const step = buildTrainStep({
    model,
    defense: compose(options.defenses),
    optimizer,
    ...(options.loss && { loss: options.loss }),
    labelSmoothing: options.labelSmoothing ?? 0,
    weightDecay: options.weightDecay,
    maxNorm: options.maxNorm,
    bounds,
    pixels: pixelsOf(images),
    ...(options.augmentation && { augmentation: options.augmentation }),
  });
  return { model, step, schedule: options.learningRate ?? optimizer.learningRate };
}

/** Throws where the training is predicted to take more memory than the machine has. */
async function checkFitsMachine(
  name: string,
  step: TrainStep,
  options: HardenOptions,
  engine: Engine,
): Promise<void> {
  // Of other providers' memory nothing is known.
  if (engine.provider !== "cpu") return;
  const { dataset, batchSize = 128, limit = Infinity } = options;
  const count = Math.min(dataset.train.count, limit);
  const settings = {
    moved: movedBytes(step, count * imageSize(dataset.imageShape)),
    target: await engine.target(),
  };
  const memoryAt = (batch: number): number => trainingMemory(step, batch, settings).total;
  const batch = Math.min(batchSize, count);
  const room = machineMemory().total;
  checkMemory(name, {
    ...{ bytes: memoryAt(batch), room, whose: "that this machine has" },
    largestBatch: () => largestBatch(memoryAt, { most: batch, room }),
  });
}

async function trainFrom(
  start: Classifier,
  { model, step, schedule }: ReturnType<typeof stepOf>,
  options: HardenOptions,
  engine: Engine,
): Promise<TrainingState> {
  const { dataset, checkpoint, restoreBest = false, earlyStopping, curves } = options;
  const { validation: held, limit } = options;
  const size = imageSize(dataset.imageShape);
  const { train: split, validation } = await openParts(dataset.train, { validation: held, limit, size });
  const saved = checkpoint ? await loadCheckpoint(checkpoint.folder, checkpoint.identity) : null;
  const frozen = model.parameters.flatMap(({ name, trainable }) => {
    const value = start.weights[name];
    return trainable || value === undefined ? [] : [[name, value] as const];
  });
  const monitor = await openMonitor({
    engine,
    classifier: { ...start, model },
    imageShape: dataset.imageShape,
    test: dataset.test ?? null,
    validation,
    curves,
    selects: restoreBest || earlyStopping !== undefined,
  });
  const training = train(
    {
      engine,
      step,
      split,
      imageShape: dataset.imageShape,
      epochs: options.epochs ?? 10,
      batchSize: options.batchSize ?? 128,
      seed: options.seed ?? 0,
      schedule,
      restoreBest,
      ...(monitor && { monitor }),
      ...(earlyStopping && { earlyStopping }),
      state: saved ?? initialState(step, start.weights, split),
      name: options.name ?? model.name,
      ...(options.inputUpdates && { snapshots: options.inputUpdates }),
      ...(options.signal && { signal: options.signal }),
      ...(options.onProgress && { onProgress: options.onProgress }),
      ...(options.onEpoch && { onEpoch: options.onEpoch }),
      ...(checkpoint && {
        saveEvery: checkpoint.every * 1000,
        save: (state: TrainingState) => saveCheckpoint(checkpoint.folder, checkpoint.identity, state),
      }),
    },
    Object.fromEntries(frozen),
  );
  return training.finally(() => monitor?.release());
}

const anything = z.unknown();

/** What can be checked of the options as plain data; a key that is not known is a mistake. */
const plainOptions = z.strictObject({
  model: anything,
  dataset: anything,
  preprocessing: anything,
  defenses: z.array(anything),
  optimizer: anything,
  augmentation: z.array(anything).optional(),
  inputUpdates: anything,
  learningRate: scheduleSchema.optional(),
  epochs: z.int().min(1).optional(),
  batchSize: z.int().min(2).optional(),
  loss: z.enum(lossNames).optional(),
  labelSmoothing: z.number().min(0).max(1).optional(),
  weightDecay: weightDecaySchema.optional(),
  maxNorm: z.number().min(0).optional(),
  seed: z.int().min(0).optional(),
  limit: z.int().min(2).optional(),
  validation: validationSchema.optional(),
  curves: curvesSchema.optional(),
  restoreBest: z.boolean().optional(),
  earlyStopping: earlyStoppingSchema.optional(),
  engine: anything,
  checkpoint: anything,
  name: z.string().optional(),
  metadata: anything,
  signal: anything,
  onProgress: anything,
  onEpoch: anything,
} satisfies Record<keyof HardenOptions, z.ZodType>);

/** Trains the model under its defences; everything that is not trained stays as it was. */
export async function harden(options: HardenOptions): Promise<Hardened> {
  parseOptions("harden", plainOptions.partial(), options);
  checkTraining(options);
  check(
    options.dataset.test !== undefined || options.curves?.splits.includes("test") !== true,
    "harden.curves",
    "test images beside the training images",
    () => "none",
  );
  const start = startOf(options);
  checkFit(start.model.name, start.model, options.dataset, preprocessingOf(options).layout);
  const engine = options.engine ?? workerEngine();
  try {
    const made = stepOf(start, options);
    await checkFitsMachine(options.name ?? start.model.name, made.step, options, engine);
    const before = { ...start, weights: start.weights() };
    const trained = await trainFrom(before, made, options, engine);
    const { tensors, history, snapshots, seconds, processorSeconds } = trained;
    const classifier = { ...before, weights: updated(before.weights, tensors) };
    const file = classifierFile(classifier, options.metadata ?? {});
    return { classifier, file, history, snapshots, seconds, processorSeconds };
  } finally {
    if (options.engine === undefined) await engine.close();
  }
}
