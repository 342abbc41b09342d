// Expectation over transformation (Athalye et al. 2018, "Synthesizing robust adversarial examples"): what an attack sees
// of a random model at a point, as means over several draws that stand side by side in one graph.
import { z } from "zod";
import { gradient } from "../autodiff/gradient.js";
import { B, multiplyDims, type Shape } from "../base/shape.js";
import type { InputNode, Node, Operand } from "../graph/node.js";
import { isRandom, type Classifier, type Model } from "../nn/model.js";
import { isNoise } from "../nn/noise-inputs.js";
import { div, mul } from "../ops/arithmetic.js";
import { cast, greater } from "../ops/compare.js";
import { broadcastTo, sum } from "../ops/reduce.js";
import { reshape } from "../ops/reshape.js";
import { concat, transpose } from "../ops/structure.js";
import type { AttackLoss } from "./losses.js";
import { ascentAt, fallen, logitsAt, type AttackInputs } from "./white-box.js";

/** The option of attacks that average over draws. */
export const eotOption = z
  .int()
  .min(1)
  .optional()
  .describe("draws of a random model over which each step's gradient is averaged; default 1");

/** How many draws a step looks at: one where the model draws nothing, since all would be equal. */
export const copiesFor = (model: Model, eot = 1): number => (isRandom(model) ? eot : 1);

/** x [batch, …] `copies` times, one after the other: [copies·batch, …]. */
function copiesOf(x: Node, copies: number): Node {
  const [rows = B, ...rest] = x.shape;
  const all = broadcastTo(reshape(x, [1, rows, ...rest]), [copies, rows, ...rest]);
  return reshape(all, [multiplyDims(rows, copies), ...rest]);
}

/** Classes [batch] likewise. */
export const repeatedClasses = (classes: Node, copies: number): Node =>
  copies === 1
    ? classes
    : concat(
        Array.from({ length: copies }, () => classes),
        0,
      );

/** Values of each copy's row side by side: [copies, batch]. */
const byCopy = (values: Node, copies: number): Node => reshape(values, [copies, B]);

/** Sums over the copies, of `shape`. */
const overCopies = (values: Node, copies: number, shape: Shape): Node =>
  reshape(sum(byCopy(values, copies), { axes: [0], keepDims: false }), shape);

export interface ViewOptions {
  /** Of logits [copies·batch, classes]. */
  readonly loss: AttackLoss;
  /** +1 away from the labels, −1 towards them. */
  readonly direction: Operand;
  readonly copies: number;
}

/** What an attack sees at a point. */
export interface View {
  /** A positive multiple, row by row, of the gradient of the mean loss times the direction. */
  readonly gradient: Node;
  /** Whether the row has reached the attack's aim, in more than half of the draws: [batch]. */
  readonly down: Node;
  /** Mean of the loss's level, or of the loss itself: [batch, 1]. */
  readonly level: Node;
}

const levelOf = (loss: AttackLoss, logits: Node, labels: Node): Node =>
  loss.level ? loss.level(logits, labels) : loss.value(logits, labels);

/** Logits of every copy, and what can be said of them without a gradient. */
function verdictOf(
  logits: Node,
  labels: Node,
  { loss, direction, copies }: ViewOptions,
): Omit<View, "gradient"> {
  const hits = cast(fallen(logits, labels, direction), "float32");
  return {
    down: greater(overCopies(hits, copies, [B]), copies / 2),
    level: div(overCopies(levelOf(loss, logits, labels), copies, [B, 1]), copies),
  };
}

/**
 * What there is to see at x [batch, …]. `ascent` of each draw has its share in the sum: a multiple of the mean's gradient
 * that does not vanish where all draws saturate.
 */
export function viewAt(classifier: Classifier, x: Node, inputs: AttackInputs, options: ViewOptions): View {
  const { loss, direction, copies } = options;
  if (copies === 1) {
    const { logits, gradient: uphill } = ascentAt(classifier, x, inputs, { loss, direction });
    const { labels } = inputs;
    return {
      gradient: uphill,
      down: fallen(logits, labels, direction),
      level: levelOf(loss, logits, labels),
    };
  }
  const labels = repeatedClasses(inputs.labels, copies);
  const logits = logitsAt(classifier, copiesOf(x, copies), inputs);
  const ascent = mul(loss.ascent(logits, labels), direction);
  const beside = (values: Node): Node => transpose(byCopy(values, copies), [1, 0]);
  const shares = loss.shares?.(logits, labels, beside);
  const [rows = B] = logits.shape;
  const cotangent =
    shares === undefined ? ascent : mul(ascent, reshape(transpose(shares, [1, 0]), [rows, 1]));
  const [uphill] = gradient(logits, [x], { cotangent });
  if (uphill === undefined) throw new Error("no gradient");
  return { gradient: uphill, ...verdictOf(logits, labels, options) };
}

/** Mean loss [batch] and state [batch] of points x, to compare those that an attack has found. */
export function judgedAt(
  classifier: Classifier,
  x: Node,
  inputs: AttackInputs,
  options: ViewOptions,
): { readonly loss: Node; readonly fallen: Node } {
  const { loss, direction, copies } = options;
  if (copies === 1) {
    const logits = logitsAt(classifier, x, inputs);
    const { labels } = inputs;
    return { loss: reshape(loss.value(logits, labels), [B]), fallen: fallen(logits, labels, direction) };
  }
  const labels = repeatedClasses(inputs.labels, copies);
  const logits = logitsAt(classifier, copiesOf(x, copies), inputs);
  const { down } = verdictOf(logits, labels, options);
  return { loss: div(overCopies(loss.value(logits, labels), copies, [B]), copies), fallen: down };
}

/** The inputs among `weights` that hold draws: new ones in every iteration of a loop. */
export function splitDraws({ weights }: AttackInputs): Record<"scanned" | "invariant", readonly InputNode[]> {
  const all = [...weights.values()];
  return {
    scanned: all.filter(({ name }) => isNoise(name)),
    invariant: all.filter(({ name }) => !isNoise(name)),
  };
}
