// What an attack is: it returns perturbed inputs and nothing else; the runner clips, verifies and counts.
import { check } from "../base/errors.js";
import { count, formatShape } from "../base/shape.js";
import { tensor, type Tensor } from "../base/tensor.js";
import type { AnyUnit } from "../base/options.js";
import type { Classifier } from "../nn/model.js";
import type { Engine } from "../runtime/engine.js";
import { checkRadius, type Threat } from "../threat/threat.js";
import type { PassCounts } from "./passes.js";

/** What is attacked, and in which norm. */
export interface AttackTarget {
  readonly classifier: Classifier;
  readonly threat: Threat;
}

export interface AttackContext extends AttackTarget {
  readonly engine: Engine;
  /** Checked between runs of the engine; an abort rejects `perturb` with its reason. */
  readonly signal?: AbortSignal;
}

export interface AttackBatch {
  /** [n, …] within the classifier's bounds; never changed. */
  readonly inputs: Tensor;
  /** [n]: the class to leave, or with `targeted` the class to reach. */
  readonly labels: Int32Array;
  readonly targeted: boolean;
  /** Index of each row in its dataset: what its noise is keyed by. */
  readonly indices: ArrayLike<number>;
  /** Radius of the ball, in input units, at least 0; infinite for attacks that look for the nearest point. */
  readonly epsilon: number;
  readonly seed: number;
  /** Where given, what the attack asks of the model is added to it. */
  readonly passes?: PassCounts;
}

export interface PreparedAttack {
  /** Perturbed inputs, of the shape of `batch.inputs`. */
  perturb(batch: AttackBatch): Promise<Float32Array>;
  release(): Promise<void>;
}

/** An attack's settings as records show them. */
export type AttackOptions = Readonly<Record<string, string | number | boolean>>;

/** The options that are given, as records show them. */
export const optionsGiven = (
  options: Readonly<Record<string, string | number | boolean | undefined>>,
): AttackOptions =>
  Object.fromEntries(
    Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );

export interface OnnxAttackOptions {
  /** Reach the labels (true) or leave them (false); fixed in the file. */
  readonly targeted: boolean;
}

export interface Attack {
  readonly name: string;
  /**
   * Diagnostics compare the kinds: `single-step` attacks show what others hide, `black-box` ones see outputs alone, and the
   * points of a `transfer` were made without a look at the model.
   */
  readonly kind: "single-step" | "iterative" | "black-box" | "transfer";
  /**
   * Whether it looks for the nearest adversarial point instead of any within ε. Then ε may be infinite, and a row
   * that has no adversarial point within ε comes back as it was.
   */
  readonly nearest?: true;
  /**
   * The attacks that a suite is made of, one after the other, each on what those before it leave standing; `target`
   * decides which make sense.
   */
  stages?(target: AttackTarget): readonly Attack[];
  /** The same attack whose rows go on after they have fallen, for points that other models fall for too. */
  unresting?(): Attack;
  /** What it leaves out of the attack that its name promises, in words. */
  readonly leavesOut?: readonly string[];
  /** Whether it can only leave labels: a `targeted` batch is refused. */
  readonly untargeted?: true;
  /** The fewest classes of models it works on; default 2. */
  readonly classes?: number | undefined;
  readonly options: AttackOptions;
  /** Names of the norm balls it can stay in. */
  readonly norms: readonly string[];
  /** Compiles what the attack needs; serves every ε. Throws where norm or classes are not supported. */
  prepare(context: AttackContext): Promise<PreparedAttack>;
  /** The whole attack as one ONNX file of the standard domain. */
  toOnnx?(target: AttackTarget, options: OnnxAttackOptions): Uint8Array;
}

/** What a file under `attacks/` exports. */
export type AttackFactory = AnyUnit<Attack>;

/** Throws unless `attack` works in the norm of `threat`. */
export function checkNorm({ name, norms }: Attack, threat: Threat): void {
  check(norms.includes(threat.name), name, `a norm out of ${norms.join(", ")}`, () => `'${threat.name}'`);
}

/** The fewest classes of models that an attack works on. */
export const leastClasses = ({ classes = 2 }: Pick<Attack, "classes">): number => classes;

/** Throws unless `attack` works on models of so many classes. */
export function checkClasses(attack: Pick<Attack, "name" | "classes">, classes: number): void {
  const least = leastClasses(attack);
  check(classes >= least, attack.name, `a model of ${least} classes or more`, () => String(classes));
}

/** Throws unless `attack` works on the classifier and in the norm of `target`. */
export function checkTarget(attack: Attack, { classifier, threat }: AttackTarget): void {
  checkNorm(attack, threat);
  checkClasses(attack, classifier.model.classes);
}

/** Throws where `attack` can only leave labels and is to reach them. */
export const checkAim = (
  { name, untargeted }: Pick<Attack, "name"> & { readonly untargeted?: true | undefined },
  targeted: boolean,
): void =>
  check(!(targeted && untargeted === true), name, "labels to leave", () => "targets, which it cannot reach");

/** Throws unless the parts of `batch` fit each other and the classifier. */
function checkBatch(
  { name: where, nearest, untargeted }: Attack,
  batch: AttackBatch,
  { classifier: { model }, threat }: AttackTarget,
): void {
  const { inputs, labels, indices, epsilon, targeted } = batch;
  checkAim({ name: where, untargeted }, targeted);
  const [n = 0, ...rest] = inputs.shape;
  const fits = inputs.dtype === "float32" && rest.join() === model.inputShape.join();
  check(
    fits,
    where,
    `float32 inputs [n, ${model.inputShape.join(", ")}]`,
    () => `${inputs.dtype} ${formatShape(inputs.shape)}`,
  );
  check(labels.length === n, where, `${n} labels`, () => String(labels.length));
  check(indices.length === n, where, `${n} indices`, () => String(indices.length));
  const wrong = labels.find((label) => label < 0 || label >= model.classes);
  check(wrong === undefined, where, `labels from 0 to ${model.classes - 1}`, () => String(wrong));
  const radius = epsilon >= 0 && (nearest === true || epsilon < Infinity);
  const expected = nearest === true ? "an ε of at least 0" : "a finite ε of at least 0";
  check(radius, where, expected, () => String(epsilon));
  checkRadius(threat, epsilon, where);
}

/** Puts the original in place of each point beyond `epsilon`. */
function withinRadius(threat: Threat, { inputs, epsilon }: AttackBatch, points: Float32Array): Float32Array {
  const originals = floatsOf(inputs);
  const width = count(inputs.shape.slice(1));
  const distances = threat.distance(
    points.map((v, i) => v - (originals[i] ?? NaN)),
    width,
  );
  distances.forEach((distance, row) => {
    const [from, to] = [row * width, (row + 1) * width];
    if (!(distance <= epsilon)) points.set(originals.subarray(from, to), from);
  });
  return points;
}

/** `perturb` behind the checks every attack makes; ε = 0 and an empty batch never reach it, far points never leave. */
export function guarded(
  attack: Attack,
  context: AttackContext,
  perturb: (batch: AttackBatch) => Promise<Float32Array>,
): (batch: AttackBatch) => Promise<Float32Array> {
  const { threat, signal, engine } = context;
  return async (batch) => {
    checkBatch(attack, batch, context);
    signal?.throwIfAborted();
    if (batch.epsilon === 0 || count(batch.inputs.shape) === 0)
      return Float32Array.from(floatsOf(batch.inputs));
    const { supply } = engine;
    const points = await (supply ? supply.within(batch, () => perturb(batch)) : perturb(batch));
    return attack.nearest === true ? withinRadius(threat, batch, points) : points;
  };
}

/** The labels as programs take them: [n], int32. */
export const labelsOf = ({ labels }: AttackBatch): Tensor => tensor("int32", [labels.length], labels);

/** The numbers of a float32 tensor. */
export function floatsOf({ data, dtype }: Tensor): Float32Array {
  check(data instanceof Float32Array, "tensor", "float32 data", () => dtype);
  return data;
}
