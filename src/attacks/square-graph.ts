// One query of Square as a loop over a carried point: a window is changed, and kept where that helps.
import { B, multiplyDims } from "../base/shape.js";
import { graphFunction } from "../graph/function.js";
import { input, type InputNode, type Node, type Operand } from "../graph/node.js";
import { simplify } from "../graph/simplify.js";
import type { LoopFunction } from "../onnx/export.js";
import { add, div, mul, sub } from "../ops/arithmetic.js";
import { cast, greater, where } from "../ops/compare.js";
import { sqrt } from "../ops/exponential.js";
import { maximum, minimum } from "../ops/extremum.js";
import { abs, relu } from "../ops/piecewise.js";
import { sum } from "../ops/reduce.js";
import { reshape } from "../ops/reshape.js";
import { largestOfRows, rowSums } from "../threat/rows.js";
import { intoBox, type Bounds } from "../threat/threat.js";
import type { AttackTarget } from "./attack.js";
import type { AttackLoss } from "./losses.js";
import { gridOf, profileShape, type Grid } from "./square-windows.js";
import { attackInputs, fallen, queriedAt } from "./white-box.js";

/** What becomes of the point in one query, and what that needs. */
interface Proposal {
  readonly moved: Node;
  /** [n]: whether the row's point would be another; 1 where it always counts as one. */
  readonly changes: Operand;
  readonly scanned: readonly InputNode[];
  readonly invariant: readonly InputNode[];
}

/** Keeps a division by the length of an empty window finite. */
const tiny = 1e-12;

/** Profiles of a window along each spatial axis, and the window: their product. The first may tell channels apart. */
function windowOf(name: string, grid: Grid, channels: boolean) {
  const profiles = grid.spatial.map((_, axis) =>
    input(`${name}.${axis}`, [B, ...profileShape(grid, axis, channels && axis === 0)]),
  );
  const [first, ...rest] = profiles;
  if (first === undefined) throw new Error("an input without axes");
  return { profiles, window: rest.reduce<Node>(mul, first) };
}

/**
 * L∞: in the window each channel goes to one end of its interval [low, high] – the ball's within the box's – and
 * elsewhere the point stays (Andriushchenko et al. 2020, algorithm 2). The window's numbers are so large that clipping
 * decides.
 */
function corners(best: InputNode, grid: Grid): Proposal {
  const [low, high] = [input("low", best.shape), input("high", best.shape)];
  const { profiles, window } = windowOf("window", grid, true);
  const moved = minimum(maximum(add(best, window), low), high);
  const changes = cast(greater(reshape(largestOfRows(sub(moved, best)), [B]), 0), "float32");
  return { moved, changes, scanned: profiles, invariant: [low, high] };
}

/** A norm of which a power adds up over coordinates. */
interface AdditiveNorm {
  /** |x|^p: what adds up. */
  readonly power: (x: Node) => Node;
  /** The p-th root. */
  readonly root: (total: Node) => Node;
}

const additiveNorms: Readonly<Record<string, AdditiveNorm>> = {
  l2: { power: (x) => mul(x, x), root: sqrt },
  l1: { power: abs, root: (total) => total },
};

/** Σ over the spatial axes: [n, c, …] → [n, c, 1, …]. */
function channelSums(x: Node): Node {
  const [n = 1, channels = 1, ...spatial] = x.shape;
  const sums = rowSums(reshape(x, [multiplyDims(n, channels), ...spatial]));
  return reshape(sums, [n, channels, ...spatial.map(() => 1)]);
}

/**
 * L2 and L1: of two windows the first gets what both weigh and what is left of ε, along the sum of a pattern and of
 * what it held; the second is emptied; then the whole is scaled to ε (ibid., algorithm 3).
 */
function redistribution(best: InputNode, grid: Grid, norm: AdditiveNorm, bounds: Bounds): Proposal {
  const { power, root } = norm;
  const [x, epsilon] = [input("input", best.shape), input("epsilon", [])];
  const [first, second] = [windowOf("first", grid, false), windowOf("second", grid, false)];
  const pattern = input("pattern", [B, 1, ...grid.spatial]);
  const signs = input("signs", [B, grid.channels, ...grid.spatial.map(() => 1)]);
  const channelLengths = (terms: Node): Node => add(root(channelSums(terms)), tiny);

  const delta = sub(best, x);
  const terms = power(delta);
  const either = maximum(first.window, second.window);
  const left = relu(sub(power(epsilon), rowSums(terms)));
  const budget = root(add(div(left, grid.channels), rowSums(mul(terms, either))));
  const held = div(mul(delta, first.window), channelLengths(mul(terms, first.window)));
  const fresh = add(mul(pattern, signs), held);
  const filled = mul(fresh, div(budget, channelLengths(power(fresh))));
  const next = add(sub(delta, mul(delta, either)), filled);
  const scaled = mul(next, div(epsilon, add(root(rowSums(power(next))), tiny)));
  return {
    moved: intoBox(add(x, scaled), bounds),
    changes: 1,
    scanned: [...first.profiles, ...second.profiles, pattern, signs],
    invariant: [x, epsilon],
  };
}

function proposalOf(best: InputNode, grid: Grid, { classifier, threat }: AttackTarget): Proposal {
  const norm = additiveNorms[threat.name];
  return norm === undefined ? corners(best, grid) : redistribution(best, grid, norm, classifier.bounds);
}

/**
 * One query: the proposal is taken over where its loss is larger or it has fallen. States `best` [n, channels, …],
 * `loss` [n], that of `best` times the direction, `resting` [n], 1 where `best` has fallen and stays, and
 * `queries` [n] until then, in L∞ without those that propose the point as it is.
 */
export function squareLoop(target: AttackTarget, loss: AttackLoss): LoopFunction {
  const { model } = target.classifier;
  const inputs = attackInputs(model);
  const grid = gridOf(model.inputShape);
  const best = input("best", [B, grid.channels, ...grid.spatial]);
  const [held, resting, queries] = [input("loss", [B]), input("resting", [B]), input("queries", [B])];
  const direction = input("direction", []);
  const { moved, changes, scanned, invariant } = proposalOf(best, grid, target);
  const logits = queriedAt(target.classifier, reshape(moved, [B, ...model.inputShape]), inputs);
  const value = mul(reshape(loss.value(logits, inputs.labels), [B]), direction);
  const down = cast(fallen(logits, inputs.labels, direction), "float32");
  const better = maximum(cast(greater(value, held), "float32"), down);
  const taken = mul(better, sub(1, resting));
  const stays = maximum(resting, down);
  // Two products and a sum are exact here, and faster than a selection of rows.
  const share = reshape(taken, [B, 1, ...grid.spatial.map(() => 1)]);
  const all = [...invariant, inputs.labels, direction, ...inputs.weights.values()];
  const body = simplify(
    graphFunction("square", [best, held, resting, queries, ...scanned, ...all], {
      best: add(mul(moved, share), mul(best, sub(1, share))),
      loss: where(greater(taken, 0), value, held),
      resting: stays,
      queries: add(queries, mul(sub(1, resting), changes)),
      proceed: greater(sum(sub(1, stays)), 0),
    }),
  );
  const { best: nextBest, loss: nextLoss, resting: nextResting, proceed } = body.outputs;
  const { queries: nextQueries } = body.outputs;
  if (!nextBest || !nextLoss || !nextResting || !nextQueries || !proceed)
    throw new Error("an output was lost");
  return {
    name: "square",
    carried: [
      { input: best, next: nextBest },
      { input: held, next: nextLoss },
      { input: resting, next: nextResting },
      { input: queries, next: nextQueries },
    ],
    scanned,
    invariant: all,
    outputs: {},
    proceed,
  };
}
