// What is asked of weights beside the loss: an L2 term on those of chosen layers, a bound on what comes into each unit.
import { check, fail } from "../base/errors.js";
import { scope, type InputNode, type Node } from "../graph/node.js";
import { leafLayers, type Model, type Parameter } from "../nn/model.js";
import { div, mul } from "../ops/arithmetic.js";
import { sqrt } from "../ops/exponential.js";
import { maximum } from "../ops/extremum.js";
import { sum } from "../ops/reduce.js";

export interface WeightDecay {
  /** λ of λ·Σw², whose gradient is 2λw. */
  readonly lambda: number;
  /** Whose weights. */
  readonly layers: "conv" | "dense" | "all";
  /** Whether their biases too; batch-norm's scales and shifts never are. */
  readonly biases: boolean;
}

export interface WeightRules {
  /** Added to each gradient; the loss that is reported stays without it. */
  readonly weightDecay?: WeightDecay | undefined;
  /** Bound on the L2 norm of each unit's incoming weights, biases apart; 0 is none. */
  readonly maxNorm?: number | undefined;
}

/** What a weight of this shape belongs to. */
const kindOf = ({ shape }: Parameter): "conv" | "dense" => (shape.length > 2 ? "conv" : "dense");

/** Names of the parameters that decay. Throws where there are none, or a file does not say whose biases are whose. */
export function decayed(model: Model, { lambda, layers, biases }: WeightDecay): ReadonlySet<string> {
  if (lambda === 0) return new Set();
  const isChosen = (parameter: Parameter): boolean =>
    parameter.role === "weight" && (layers === "all" || kindOf(parameter) === layers);
  if (model.layers === undefined && biases && layers !== "all")
    fail("weightDecay.biases", `false for a model out of a file, unless layers is all`, "true");
  const groups = model.layers ? leafLayers(model.layers) : [model];
  const chosen = groups
    .filter(({ parameters }) => parameters.some(isChosen))
    .flatMap(({ parameters }) =>
      parameters.filter((each) => isChosen(each) || (biases && each.role === "bias")),
    );
  const names = chosen.filter(({ trainable }) => trainable).map(({ name }) => name);
  check(names.length > 0, "weightDecay.layers", `layers that ${model.name} trains`, () => `'${layers}'`);
  return new Set(names);
}

/** Axes over which the weights that come into one unit lie. */
function incomingAxes(model: Model, { name, shape }: Parameter): readonly number[] {
  const rank = shape.length;
  check(
    model.layers !== undefined,
    "maxNorm",
    "a network of Temper's, whose units are known",
    () => `${model.name} out of a file`,
  );
  check(
    rank === 2 || rank === 4,
    "maxNorm",
    "dense and convolutional weights",
    () => `'${name}' of rank ${rank}`,
  );
  return rank === 2 ? [0] : [1, 2, 3];
}

/** w·c/max(‖w‖₂, c) for each unit's incoming weights: as they were where their norm is at most c. */
function bounded(weight: Node, axes: readonly number[], bound: number): Node {
  const norm = sqrt(sum(mul(weight, weight), { axes, keepDims: true }));
  return mul(weight, div(bound, maximum(norm, bound)));
}

/**
 * What stands for trained weights where a step begins by bounding them: all passes, gradients and updates of the step
 * are of the bounded ones (ABP: before each backward pass). What its last update makes of them is bounded by none.
 */
export function boundedWeights(
  model: Model,
  inputs: readonly InputNode[],
  bound: number,
): ReadonlyMap<Node, Node> {
  const trained = model.parameters.filter(({ role, trainable }) => role === "weight" && trainable);
  const axes = new Map(trained.map((parameter) => [parameter.name, incomingAxes(model, parameter)]));
  return new Map(
    inputs.flatMap((input): [Node, Node][] => {
      const over = axes.get(input.name);
      return over ? [[input, scope(`max-norm/${input.name}`, () => bounded(input, over, bound))]] : [];
    }),
  );
}
