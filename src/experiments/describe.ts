// What a network is made of, and what a training step of it costs.
import { B, count } from "../base/shape.js";
import { compose } from "../defenses/compose.js";
import type { Target } from "../graph/op.js";
import type { Defense } from "../defenses/defense.js";
import { largestBatch, movedBytes, trainingMemory, type TrainingMemory } from "../defenses/memory.js";
import { train } from "../defenses/train.js";
import { initialState } from "../defenses/training-state.js";
import { buildTrainStep, type TrainStep } from "../defenses/train-step.js";
import { imageSize, type ImageShape, type Split } from "../data/index.js";
import { topological } from "../graph/function.js";
import { input } from "../graph/node.js";
import { multiplyAdds } from "../graph/work.js";
import type { Architecture } from "../nn/architectures/architecture.js";
import { passOver, weightInputs } from "../nn/classifier.js";
import type { LossName } from "../nn/loss-names.js";
import { leafLayers, ownLoss, type Model, type Role } from "../nn/model.js";
import type { Optimizer } from "../optim/optimizer.js";
import type { Engine } from "../runtime/engine.js";

export interface DescribeOptions {
  readonly model: Architecture;
  readonly inputShape: ImageShape;
  readonly classes: number;
  /** Outermost first; none is standard training. */
  readonly defenses: readonly Defense[];
  readonly optimizer: Optimizer;
  readonly batchSize: number;
  /** Training images, where they are known: defences that move them keep them in memory. */
  readonly images?: number;
  /** What runs the step, for its memory; default any runtime. */
  readonly target?: Target;
  /** Bytes of memory that there are; default no bound. */
  readonly room?: number;
}

export interface LayerDescription {
  readonly name: string;
  /** Of one image. */
  readonly outputShape: readonly number[];
  readonly parameters: number;
  /** Of the forward pass of one image. */
  readonly multiplyAdds: number;
}

/** Size and arithmetic of a network. */
export interface Size {
  /** All but batch-norm's. */
  readonly parameters: number;
  /** Scales and shifts. */
  readonly batchNormParameters: number;
  /** Of the forward pass of one image. */
  readonly multiplyAdds: number;
}

export interface Description extends Size {
  readonly layers: readonly LayerDescription[];
  /** Of what is exported after the last epoch, where that is another network. */
  readonly exported?: Size;
  /** Where noise may be put, beside the input: hidden activations by name, in order. */
  readonly sites: readonly string[];
  /** What the training descends. */
  readonly loss: LossName;
  /** Of one training step. */
  readonly stepMultiplyAdds: number;
  readonly memory: TrainingMemory;
  /** Where training takes more than the room: the largest batch that fits into it, null where none does. */
  readonly largestBatch?: number | null;
}

const sizeOf = (parameters: Model["parameters"], roles: readonly Role[]): number =>
  parameters.reduce((total, { role, shape }) => total + (roles.includes(role) ? count(shape) : 0), 0);

const everyRole: readonly Role[] = ["weight", "bias", "scale", "shift", "other"];
const batchNormRoles: readonly Role[] = ["scale", "shift"];

/** Multiply–adds of one image's forward pass, by layer. */
function workByLayer(model: Model): ReadonlyMap<string, number> {
  const x = input("input", [B, ...model.inputShape]);
  const logits = model.apply(x, passOver(weightInputs(model)));
  const work = new Map<string, number>();
  for (const node of topological([logits]))
    if (node.kind === "op")
      work.set(node.scope, (work.get(node.scope) ?? 0) + (node.op.multiplyAdds?.(node, 1) ?? 0));
  return work;
}

function stepFor(model: Model, { defenses, optimizer }: DescribeOptions): TrainStep {
  const defense = compose(defenses);
  return buildTrainStep({
    model,
    defense,
    optimizer,
    labelSmoothing: 0,
    bounds: [0, 1],
  });
}

function sizesOf(model: Model, work: ReadonlyMap<string, number>): Size {
  const batchNormParameters = sizeOf(model.parameters, batchNormRoles);
  return {
    parameters: sizeOf(model.parameters, everyRole) - batchNormParameters,
    batchNormParameters,
    multiplyAdds: [...work.values()].reduce((a, b) => a + b, 0),
  };
}

/** The form in which `model` leaves training, where it has another. */
function exportedForm(model: Model): Pick<Description, "exported"> {
  if (!model.deployed) return {};
  const weights = model.initialize(0);
  const { model: form } = model.deployed({ ...weights, ...model.betweenEpochs?.(weights, 1) });
  return { exported: sizesOf(form, workByLayer(form)) };
}

/** Layers, sizes, arithmetic and memory of a network under training. */
export function describeModel(options: DescribeOptions): Description {
  const { batchSize, inputShape, classes, images = 0, room = Infinity } = options;
  const model = options.model({ inputShape, classes });
  const step = stepFor(model, options);
  const work = workByLayer(model);
  const layers = leafLayers(model.layers ?? []).map(({ name, outputShape, parameters }) => ({
    name,
    outputShape,
    parameters: sizeOf(parameters, everyRole),
    multiplyAdds: work.get(name) ?? 0,
  }));
  const roots = [...step.loop.carried.map(({ next }) => next), ...Object.values(step.loop.outputs)];
  const moved = movedBytes(step, images * imageSize(inputShape));
  const memoryAt = (batch: number): TrainingMemory =>
    trainingMemory(step, batch, { moved, ...(options.target && { target: options.target }) });
  const memory = memoryAt(batchSize);
  const total = (batch: number): number => memoryAt(batch).total;
  return {
    layers,
    sites: model.sites,
    loss: ownLoss(model),
    ...sizesOf(model, work),
    ...exportedForm(model),
    stepMultiplyAdds: multiplyAdds(roots, batchSize),
    memory,
    ...(memory.total > room && { largestBatch: largestBatch(total, { most: batchSize, room }) }),
  };
}

/** Measuring ends after so many milliseconds, or so many epochs of the sample. */
const measuring = { milliseconds: 2000, epochs: 20 };

/** How many steps are enough of a sample to time them by: few of long ones. */
export const sampleSteps = ({ stepMultiplyAdds }: Description): number =>
  Math.max(2, Math.min(64, Math.round(5e10 / stepMultiplyAdds)));

/** Seconds a training step takes on `engine`: the median over epochs of the sample `split`, without the first one. */
export async function timeStep(options: DescribeOptions, split: Split, engine: Engine): Promise<number> {
  const { batchSize, inputShape, classes } = options;
  const model = options.model({ inputShape, classes });
  const step = stepFor(model, options);
  const marks: number[] = [];
  const enough = new AbortController();
  const onEpoch = (): void => {
    marks.push(performance.now());
    if (performance.now() - (marks[0] ?? 0) > measuring.milliseconds) enough.abort();
  };
  const state = initialState(step, model.initialize(0), split);
  await train({
    engine,
    step,
    split,
    imageShape: inputShape,
    epochs: measuring.epochs,
    batchSize,
    seed: 0,
    schedule: 0,
    state,
    name: model.name,
    signal: enough.signal,
    onEpoch,
  }).catch((error: unknown) => {
    if (marks.length < 2) throw error;
  });
  const taken = marks
    .slice(1)
    .map((mark, i) => mark - (marks[i] ?? 0))
    .sort((a, b) => a - b);
  const steps = Math.ceil(split.count / batchSize);
  return (taken[Math.floor(taken.length / 2)] ?? NaN) / steps / 1000;
}
