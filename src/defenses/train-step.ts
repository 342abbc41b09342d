// One training step as a pure function of state, batch and noise: the body of the engine's Loop.
import { augmented, type Augmentation } from "../augmentations/augmentation.js";
import { gradient } from "../autodiff/gradient.js";
import { check } from "../base/errors.js";
import { B } from "../base/shape.js";
import { graphFunction, substitute } from "../graph/function.js";
import { input, scope, toNode, type InputNode, type Node, type Operand } from "../graph/node.js";
import { shared, simplify } from "../graph/simplify.js";
import { lookup, weightInputs } from "../nn/classifier.js";
import type { LossName } from "../nn/loss-names.js";
import { losses, smoothLabels } from "../nn/losses.js";
import { ownLoss, type BetweenEpochs, type Model, type NoiseSource, type Pass } from "../nn/model.js";
import { noiseInput, noiseValues, type NoiseInput } from "../nn/noise-inputs.js";
import { nextName, type LoopFunction } from "../onnx/export.js";
import { add, div, mul } from "../ops/arithmetic.js";
import { cast, lessEqual } from "../ops/compare.js";
import { oneHot } from "../ops/indexing.js";
import { abs, clip } from "../ops/piecewise.js";
import { reshape } from "../ops/reshape.js";
import { slice } from "../ops/structure.js";
import type { Optimizer } from "../optim/optimizer.js";
import { boundedWeights, decayed, type WeightRules } from "./weight-rules.js";
import { objectiveOf } from "./compose.js";
import type { Defense, Outcome, StepContext } from "./defense.js";

export interface StepOptions extends WeightRules {
  readonly model: Model;
  readonly defense: Defense;
  readonly optimizer: Optimizer;
  /** Default the model's own. */
  readonly loss?: LossName;
  /** t ← t − s·(t − 1/classes); s in [0, 1]. */
  readonly labelSmoothing: number;
  readonly bounds: readonly [low: number, high: number];
  /** How images come: raw bytes (the default; divided by 255 here), or their values. Inputs that move are values. */
  readonly pixels?: "uint8" | "float32";
  /** What happens to the images of a batch before anything else, in this order; default nothing. */
  readonly augmentation?: readonly Augmentation[];
}

/** A training step and what the host must supply to run it. */
export interface TrainStep {
  readonly loop: LoopFunction;
  /** How images must come. */
  readonly pixels: "uint8" | "float32";
  readonly noise: readonly NoiseInput[];
  /** Values of the defences' scalar inputs in `epoch` (from 0). */
  scalars(epoch: number): Readonly<Record<string, number>>;
  /** Starting values of optimizer slots, by state name: { name, shape, value }. */
  readonly slots: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly value: number;
  }[];
  /** Whether the step returns moved inputs as `storedInputs`. */
  readonly movesInputs: boolean;
  /** Whether it needs the inputs as they were before any update, as `originals`. */
  readonly needsOriginals: boolean;
  /** The model's rule between epochs, where it has one. */
  readonly betweenEpochs?: BetweenEpochs;
  /** State of each sample, like its input in shape: read as `name`, returned as `name.next`, at first `initial`. */
  readonly perSample: readonly { readonly name: string; readonly initial: number }[];
}

/** Collects what a step asks of the host while its graph is built. */
function requests() {
  const originals: InputNode[] = [];
  const noise = new Map<string, NoiseInput>();
  const scalars = new Map<string, { node: InputNode; valueAt: (epoch: number) => number }>();
  const perSample = new Map<string, { node: InputNode; initial: number }>();
  const draw: NoiseSource["draw"] = (request) => {
    // A sample's noise depends on its copy, not on how many rows there are: passes of other heights share it.
    const asked = noiseInput(request);
    const known = noise.get(asked.input.name) ?? asked;
    noise.set(asked.input.name, known);
    return noiseValues(known.input);
  };
  const scalar: StepContext["scalar"] = (name, value) => {
    const known = scalars.get(name);
    const valueAt = typeof value === "number" ? () => value : value;
    check(
      known === undefined || known.valueAt(0) === valueAt(0),
      name,
      "one value",
      () => `${known?.valueAt(0) ?? ""} and ${valueAt(0)}`,
    );
    const held = known ?? { node: input(name, []), valueAt };
    scalars.set(name, held);
    return held.node;
  };
  return { noise, scalars, perSample, originals, draw, scalar };
}

type Requests = ReturnType<typeof requests>;

interface StepInputs {
  readonly stored: Node;
  readonly augmentation: readonly Augmentation[];
  readonly value: (name: string) => Node;
  readonly updates: Map<string, Node>;
}

/** What defences see: passes in training mode whose noise is named after the pass. */
function contextOf(
  options: StepOptions,
  { stored, augmentation, value, updates }: StepInputs,
  asked: Requests,
): StepContext {
  const noise = (pass: string): NoiseSource => ({
    draw: (request) => asked.draw({ ...request, name: `${pass}/${request.name}` }),
  });
  return {
    model: options.model,
    bounds: options.bounds,
    stored,
    augmented: augmented(augmentation, stored, noise, options.bounds),
    perSample: (name, initial) => {
      const node = input(name, [B, ...options.model.inputShape]);
      const held = asked.perSample.get(name) ?? { node, initial };
      asked.perSample.set(name, held);
      return held.node;
    },
    originals: () => {
      const [known = input("originals", [B, ...options.model.inputShape], options.pixels ?? "uint8")] =
        asked.originals;
      asked.originals[0] = known;
      return asFloat(known);
    },
    noise,
    scalar: asked.scalar,
    loss: losses[options.loss ?? ownLoss(options.model)],
    logits: (
      inputs,
      { noise: name = "train", movesStatistics = false, statisticsHeld = false, loss, site } = {},
    ) => {
      const pass: Pass = {
        training: true,
        statisticsHeld,
        value,
        noise: noise(name),
        ...(loss && { loss }),
        site: site ?? ((_, activation) => activation),
        update: (buffer, next) => void (movesStatistics && updates.set(buffer, next)),
      };
      return options.model.apply(inputs, pass);
    },
  };
}

const asFloat = (x: InputNode): Node =>
  x.dtype === "uint8" ? scope("batch", () => div(cast(x, "float32"), 255)) : x;

/** Name of an optimizer's slot in the state. */
const slotName = (parameter: string, slot: string): string => `${parameter}/${slot}`;

/** The first element of x. */
function firstOf(x: Node): Node {
  const axes = x.shape.map((_, axis) => axis);
  return reshape(slice(x, { axes, starts: axes.map(() => 0), ends: axes.map(() => 1) }), []);
}

/** x, computed after `nodes`: plus 0 times something of each (not a number where they are none). */
const after = (x: Operand, nodes: readonly Node[]): Node =>
  nodes.reduce<Node>((sum, node) => add(sum, clip(firstOf(node), 0, 0)), toNode(x));

/** Gradients of the loss; its parts follow each other, so that the first is done when the second begins. */
function gradientOf({ loss, parts = [loss] }: Outcome, weights: readonly Node[]): Node[] {
  return parts.reduce<Node[]>((sums, part) => {
    const found = gradient(shared(part), weights, { cotangent: after(1, sums) });
    return found.map((g, i) => (sums[i] === undefined ? g : add(sums[i], g)));
  }, []);
}

/** Parameters and their slots after one step down the gradients. */
function optimizerStep(
  { outcome, weights, decays }: ReturnType<typeof undifferentiated>,
  { model, optimizer, weightDecay }: StepOptions,
  step: Node,
) {
  const trained = model.parameters.filter((parameter) => parameter.trainable);
  const nodes = trained.map(({ name }) => lookup(weights)(name) as InputNode);
  const gradients = gradientOf(outcome, nodes);
  const learningRate = input("learningRate", []);
  const carried = trained.flatMap(({ name, shape }, i) => {
    const slots = Object.keys(optimizer.slots).map(
      (slot) => [slot, input(slotName(name, slot), shape)] as const,
    );
    const [parameter, g] = [nodes[i], gradients[i]];
    if (parameter === undefined || g === undefined) return [];
    const next = scope(`optimizer/${name}`, () => {
      const decay = decays.has(name) ? mul(2 * (weightDecay?.lambda ?? 0), parameter) : null;
      const full = decay === null ? g : add(g, decay);
      return optimizer.update({ parameter, slots: Object.fromEntries(slots) }, full, { learningRate, step });
    });
    const moved = slots.map(([slot, node]) => ({ input: node, next: next.slots[slot] ?? node }));
    return [{ input: parameter, next: next.parameter }, ...moved];
  });
  return { learningRate, carried };
}

/** Simplifies a loop's body as one graph, after `replacements` have taken their places. */
function simplifyLoop(loop: LoopFunction, replacements: ReadonlyMap<Node, Node>): LoopFunction {
  const inputs = [...loop.carried.map((state) => state.input), ...loop.scanned, ...loop.invariant];
  const next = loop.carried.map(({ next: node }, i) => [`next${i}`, node] as const);
  const proceed = loop.proceed === undefined ? {} : { proceed: loop.proceed };
  // The loss first: what the training pass shares with others carries its name.
  const whole = graphFunction(loop.name, inputs, {
    ...loop.outputs,
    ...proceed,
    ...Object.fromEntries(next),
  });
  const body = simplify(substitute(whole, replacements));
  const at = (name: string, node: Node): Node => body.outputs[name] ?? node;
  return {
    ...loop,
    carried: loop.carried.map((state, i) => ({ input: state.input, next: at(`next${i}`, state.next) })),
    outputs: Object.fromEntries(Object.entries(loop.outputs).map(([name, node]) => [name, at(name, node)])),
    ...(loop.proceed && { proceed: at("proceed", loop.proceed) }),
  };
}

/** What a step is made of before anything is differentiated: all that can be wrong with the options shows here. */
function undifferentiated(options: StepOptions) {
  const { model, augmentation = [] } = options;
  const asked = requests();
  const weights = weightInputs(model);
  const updates = new Map<string, Node>();
  const { pixels = "uint8" } = options;
  const inputs = input("inputs", [B, ...model.inputShape], options.defense.movesInputs ? "float32" : pixels);
  const labels = input("labels", [B], "int32");
  const stored = asFloat(inputs);
  const context = contextOf(options, { stored, augmentation, value: lookup(weights), updates }, asked);
  const targets = scope("batch", () =>
    smoothLabels(oneHot(labels, model.classes), options.labelSmoothing, model.classes),
  );
  const outcome = objectiveOf(options.defense)({ inputs: context.augmented, labels, targets }, context);
  const { weightDecay, maxNorm = 0 } = options;
  const decays = weightDecay === undefined ? new Set<string>() : decayed(model, weightDecay);
  const nodes = [...weights.values()];
  const replacements = maxNorm > 0 ? boundedWeights(model, nodes, maxNorm) : new Map<Node, Node>();
  return { asked, weights, updates, inputs, labels, outcome, decays, replacements };
}

/** Throws where the step for `options` cannot be built; a small part of the time that building it takes. */
export const checkTrainStep = (options: StepOptions): void => void undifferentiated(options);

/**
 * The step for `options`. State: trainable parameters, buffers, optimizer slots and `step`. Per step: `inputs`
 * [B, …], `labels` [B], state of each sample, noise. Constants: `learningRate`, the defences' scalars, frozen
 * parameters. Results: `loss`, the metrics, `storedInputs`, `name.next` of each sample's state. The loop ends after a step whose loss is not finite.
 */
export function buildTrainStep(options: StepOptions): TrainStep {
  const { model } = options;
  const parts = undifferentiated(options);
  const { asked, weights, updates, inputs, labels, outcome } = parts;
  const step = input("step", []);
  const next = scope("optimizer", () => add(step, 1));
  const { learningRate, carried } = optimizerStep(parts, options, next);
  const buffers = model.buffers.map(({ name }) => {
    const node = lookup(weights)(name) as InputNode;
    return { input: node, next: updates.get(name) ?? node };
  });
  const frozen = model.parameters.filter((parameter) => !parameter.trainable);
  const loop: LoopFunction = {
    name: "train",
    carried: [...carried, ...buffers, { input: step, next }],
    scanned: [
      inputs,
      labels,
      ...asked.originals,
      ...[...asked.perSample.values()].map((held) => held.node),
      ...[...asked.noise.values()].map((n) => n.input),
    ],
    invariant: [
      learningRate,
      ...[...asked.scalars.values()].map((held) => held.node),
      ...frozen.map(({ name }) => lookup(weights)(name) as InputNode),
    ],
    outputs: {
      loss: outcome.loss,
      ...outcome.metrics,
      ...(outcome.storedInputs && { storedInputs: outcome.storedInputs }),
      ...Object.fromEntries(
        Object.entries(outcome.perSample ?? {}).map(([name, next]) => [nextName(name), next]),
      ),
    },
    proceed: scope("proceed", () => lessEqual(abs(outcome.loss), 3.4e38)),
  };
  const known = new Set(carried.map((state) => state.input.name));
  const slots = model.parameters.flatMap(({ name, shape }) =>
    Object.entries(options.optimizer.slots).flatMap(([slot, value]) =>
      known.has(slotName(name, slot)) ? [{ name: slotName(name, slot), shape, value }] : [],
    ),
  );
  return {
    loop: simplifyLoop(loop, parts.replacements),
    pixels: options.pixels ?? "uint8",
    noise: [...asked.noise.values()],
    scalars: (epoch) =>
      Object.fromEntries([...asked.scalars].map(([name, held]) => [name, held.valueAt(epoch)])),
    slots,
    ...(model.betweenEpochs && { betweenEpochs: model.betweenEpochs }),
    movesInputs: outcome.storedInputs !== undefined,
    needsOriginals: asked.originals.length > 0,
    perSample: [...asked.perSample].map(([name, { initial }]) => ({ name, initial })),
  };
}
