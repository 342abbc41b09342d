// One iteration of projected gradient descent as a loop over a carried point, and the judge of its last point.
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { B, count } from "../base/shape.js";
import { graphFunction, type GraphFunction } from "../graph/function.js";
import { input, type Node, type Operand } from "../graph/node.js";
import { simplify } from "../graph/simplify.js";
import { isRandom, type Model } from "../nn/model.js";
import { nextName, type LoopFunction } from "../onnx/export.js";
import { ModelProtoSchema } from "../onnx/generated/onnx_pb.js";
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { cast, greater, where } from "../ops/compare.js";
import { maximum } from "../ops/extremum.js";
import { abs } from "../ops/piecewise.js";
import { sum } from "../ops/reduce.js";
import { reshape } from "../ops/reshape.js";
import { rowSums, smallest } from "../threat/rows.js";
import { intoBallAndBox } from "../threat/threat.js";
import type { AttackTarget } from "./attack.js";
import type { AttackLoss } from "./losses.js";
import { copiesFor, judgedAt, splitDraws, viewAt } from "./expectation.js";
import { attackInputs, openInputs } from "./white-box.js";

export interface PgdGraphOptions {
  readonly loss: AttackLoss;
  /** Share μ of the earlier directions that is kept; 0: none. */
  readonly momentum: number;
  /** Whether a point that has fallen stays where it is. */
  readonly rest: boolean;
  /** +1 away from the labels, −1 towards them. */
  readonly direction: Operand;
  /** Draws of a random model that each step looks at; default 1. */
  readonly eot?: number | undefined;
}

/** [n] → [n, 1, …], to choose whole rows of `like`. */
const perRow = (flags: Node, like: Node): Node =>
  reshape(
    flags,
    like.shape.map((d, i) => (i === 0 ? d : 1)),
  );

/** μ·m + g / mean |g| (Dong et al. 2018, equation 6, with the mean in place of the sum: steps take the direction alone). */
function gathered(
  momentum: Node,
  share: number,
  { gradient, width }: { gradient: Node; width: number },
): Node {
  const size = div(rowSums(abs(gradient)), width);
  return add(mul(momentum, share), div(gradient, maximum(size, smallest)));
}

/** Whether a point that has fallen has done so for good and may leave the batch. */
export const leaves = (model: Model, rest: boolean): boolean => rest && !isRandom(model);

/**
 * x ← Π(x + steepest(∇loss)), Π the projection on the ball around `input` and the box; a point that has fallen may
 * stay where it is: for good, or under random draws for that iteration, since others may find it standing. State `start`: x; with momentum, state `momentum`: the direction so far, which takes the gradient's
 * place. Result `fallen` [steps, n]: whether x had fallen when the iteration began.
 */
export function pgdLoop(
  { classifier, threat }: AttackTarget,
  { loss, momentum: share, rest, direction, eot }: PgdGraphOptions,
): LoopFunction {
  const inputs = attackInputs(classifier.model);
  const { input: center, labels, epsilon } = inputs;
  const { bounds } = classifier;
  const x = input("start", [B, ...classifier.model.inputShape]);
  const stepSize = input("step_size", []);
  const copies = copiesFor(classifier.model, eot);
  const { down, gradient } = viewAt(classifier, x, inputs, { loss, direction, copies });
  const { scanned, invariant: weights } = splitDraws(inputs);
  const momentum = input("momentum", x.shape);
  const width = count(classifier.model.inputShape);
  const uphill = share > 0 ? gathered(momentum, share, { gradient, width }) : gradient;
  const step = threat.steepest(uphill, { from: x, length: stepSize, bounds });
  const moved = intoBallAndBox(threat, add(x, step), { center, epsilon, bounds });
  const standing = sum(sub(1, cast(down, "float32")));
  const states = share > 0 ? [x, momentum] : [x];
  const invariant = [center, labels, epsilon, stepSize, ...openInputs(direction), ...weights];
  const body = simplify(
    graphFunction("pgd", [...states, ...scanned, ...invariant], {
      next: rest ? where(perRow(down, x), x, moved) : moved,
      ...(share > 0 && { momentum: uphill }),
      fallen: down,
      ...(leaves(classifier.model, rest) && { proceed: greater(standing, 0) }),
    }),
  );
  const { next, momentum: kept, fallen: flags, proceed } = body.outputs;
  if (!next || !flags) throw new Error("an output was lost");
  return {
    name: "pgd",
    carried: [{ input: x, next }, ...(kept ? [{ input: momentum, next: kept }] : [])],
    scanned,
    invariant,
    outputs: { fallen: flags },
    ...(proceed && { proceed }),
  };
}

/** Loss [n] and fallen [n] of given points: what decides between restarts. */
export function judgeOf(
  { classifier }: AttackTarget,
  { loss, direction, eot }: Pick<PgdGraphOptions, "loss" | "direction" | "eot">,
): GraphFunction {
  const inputs = attackInputs(classifier.model);
  const { input: x, labels, weights } = inputs;
  const copies = copiesFor(classifier.model, eot);
  const outputs = { ...judgedAt(classifier, x, inputs, { loss, direction, copies }) };
  return simplify(
    graphFunction("judge", [x, labels, ...openInputs(direction), ...weights.values()], outputs),
  );
}

/** A loop's file whose last state is called `name` and is the only result. */
export function withResult(file: Uint8Array, state: string, name: string): Uint8Array {
  const model = fromBinary(ModelProtoSchema, file);
  const { graph } = model;
  if (!graph) throw new Error("a file without a graph");
  const renamed = (output: string): string => (output === nextName(state) ? name : output);
  graph.output = graph.output.filter((info) => info.name === nextName(state));
  for (const info of graph.output) info.name = name;
  for (const node of graph.node) node.output = node.output.map(renamed);
  return toBinary(ModelProtoSchema, model);
}
