// HopSkipJump's loops over a classifier's decisions: to the boundary, along random directions, and across it again.
import { B } from "../base/shape.js";
import { graphFunction, type GraphFunction } from "../graph/function.js";
import { input, type InputNode, type Node } from "../graph/node.js";
import { simplify } from "../graph/simplify.js";
import type { LoopFunction } from "../onnx/export.js";
import { add, div, mul, neg, sub } from "../ops/arithmetic.js";
import { cast, greater, where } from "../ops/compare.js";
import { maximum, minimum } from "../ops/extremum.js";
import { sum } from "../ops/reduce.js";
import { reshape } from "../ops/reshape.js";
import { largestOfRows } from "../threat/rows.js";
import { intoBox } from "../threat/threat.js";
import type { AttackTarget } from "./attack.js";
import { attackInputs, fallen, queriedAt, type AttackInputs } from "./white-box.js";

/** [n] → [n, 1, …], to scale whole rows of `like`. */
const perRow = (values: Node, like: Node): Node =>
  reshape(
    values,
    like.shape.map((d, i) => (i === 0 ? d : 1)),
  );

/** A loop whose iterations ask the classifier for decisions alone. */
function decisionLoop(
  name: string,
  inputs: AttackInputs,
  parts: {
    readonly states: readonly { readonly input: InputNode; readonly next: Node }[];
    readonly scanned?: readonly InputNode[];
    readonly invariant: readonly InputNode[];
    readonly proceed?: Node;
  },
): LoopFunction {
  const { states, scanned = [], proceed } = parts;
  const invariant = [...parts.invariant, inputs.labels, ...inputs.weights.values()];
  const next = Object.fromEntries(states.map((state, i) => [String(i), state.next]));
  const body = simplify(
    graphFunction(name, [...states.map((state) => state.input), ...scanned, ...invariant], {
      ...next,
      ...(proceed && { proceed }),
    }),
  );
  const output = (key: string): Node => {
    const found = body.outputs[key];
    if (!found) throw new Error("an output was lost");
    return found;
  };
  return {
    name,
    carried: states.map((state, i) => ({ input: state.input, next: output(String(i)) })),
    scanned,
    invariant,
    outputs: {},
    ...(proceed && { proceed: output("proceed") }),
  };
}

interface Decided {
  readonly inputs: AttackInputs;
  readonly direction: InputNode;
  /** [n]: 1 where the row of `points` is adversarial, else 0. */
  readonly adversarial: (points: Node) => Node;
}

function decisions({ classifier }: AttackTarget): Decided {
  const inputs = attackInputs(classifier.model);
  const direction = input("direction", []);
  const adversarial = (points: Node): Node =>
    cast(fallen(queriedAt(classifier, points, inputs), inputs.labels, direction), "float32");
  return { inputs, direction, adversarial };
}

/**
 * Bisection between the input and an adversarial point `far`: along the line in L2, by the radius to which the
 * difference is clipped in L∞ (Chen, Jordan & Wainwright 2020, algorithm 1). States `boundary`, the nearest adversarial
 * point so far, and the shares `low` and `high` [n] of the way between which the boundary lies.
 */
export function boundaryLoop(target: AttackTarget): LoopFunction {
  const { inputs, direction, adversarial } = decisions(target);
  const { input: x } = inputs;
  const [far, boundary] = [input("far", x.shape), input("boundary", x.shape)];
  const [low, high] = [input("low", [B]), input("high", [B])];
  const middle = mul(add(low, high), 0.5);
  const delta = sub(far, x);
  const radius = mul(largestOfRows(delta), perRow(middle, x));
  const nearer =
    target.threat.name === "linf"
      ? minimum(maximum(delta, neg(radius)), radius)
      : mul(delta, perRow(middle, x));
  const point = intoBox(add(x, nearer), target.classifier.bounds);
  const down = greater(adversarial(point), 0);
  return decisionLoop("hop-skip-jump-boundary", inputs, {
    states: [
      { input: boundary, next: where(perRow(down, x), point, boundary) },
      { input: low, next: where(down, low, middle) },
      { input: high, next: where(down, middle, high) },
    ],
    invariant: [x, far, direction],
  });
}

/**
 * Votes φ = ±1 of points at distance `radius` [n] from `boundary` along unit directions v, which all rows share: states
 * Σφ [n], Σv and Σφ·v [n, …], with v as the box leaves it (ibid., equations 10 and 16).
 */
export function probeLoop(target: AttackTarget): LoopFunction {
  const { inputs, direction, adversarial } = decisions(target);
  const { input: boundary } = inputs;
  const radius = input("radius", [B]);
  const along = input("along", target.classifier.model.inputShape);
  const [votes, moves, weighted] = [
    input("votes", [B]),
    input("moves", boundary.shape),
    input("weighted", boundary.shape),
  ];
  const length = perRow(radius, boundary);
  const point = intoBox(add(boundary, mul(length, along)), target.classifier.bounds);
  const vote = sub(mul(adversarial(point), 2), 1);
  const moved = div(sub(point, boundary), length);
  return decisionLoop("hop-skip-jump-probe", inputs, {
    states: [
      { input: votes, next: add(votes, vote) },
      { input: moves, next: add(moves, moved) },
      { input: weighted, next: add(weighted, mul(moved, perRow(vote, boundary))) },
    ],
    scanned: [along],
    invariant: [boundary, radius, direction],
  });
}

/**
 * The step from `boundary` along `uphill`, halved until it ends at an adversarial point: states `far`, that point where
 * there is one, `length` [n], `found` [n], and `queries` [n] until then.
 */
export function jumpLoop(target: AttackTarget): LoopFunction {
  const { inputs, direction, adversarial } = decisions(target);
  const { input: boundary } = inputs;
  const [far, uphill] = [input("far", boundary.shape), input("uphill", boundary.shape)];
  const [length, found, queries] = ["length", "found", "queries"].map((name) => input(name, [B])) as [
    InputNode,
    InputNode,
    InputNode,
  ];
  const point = intoBox(add(boundary, mul(perRow(length, boundary), uphill)), target.classifier.bounds);
  const down = adversarial(point);
  const now = mul(down, sub(1, found));
  const after = maximum(found, down);
  return decisionLoop("hop-skip-jump-step", inputs, {
    states: [
      { input: far, next: where(perRow(greater(now, 0), boundary), point, far) },
      { input: length, next: mul(length, 0.5) },
      { input: found, next: after },
      { input: queries, next: add(queries, sub(1, found)) },
    ],
    invariant: [boundary, uphill, direction],
    proceed: greater(sum(sub(1, after)), 0),
  });
}

/** Logits [n, classes] of given points. */
export function logitsFunction({ classifier }: AttackTarget): GraphFunction {
  const inputs = attackInputs(classifier.model);
  const logits = queriedAt(classifier, inputs.input, inputs);
  return simplify(graphFunction("logits", [inputs.input, ...inputs.weights.values()], { logits }));
}
