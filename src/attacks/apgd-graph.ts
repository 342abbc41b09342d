// One iteration of Auto-PGD as a loop over per-row states, with its checkpoints decided in the graph.
import { B } from "../base/shape.js";
import { graphFunction, type GraphFunction } from "../graph/function.js";
import { input, type InputNode, type Node, type Operand } from "../graph/node.js";
import { simplify } from "../graph/simplify.js";
import type { Model } from "../nn/model.js";
import type { LoopFunction } from "../onnx/export.js";
import { add, mul, sub } from "../ops/arithmetic.js";
import { cast, greater, less, where } from "../ops/compare.js";
import { sum } from "../ops/reduce.js";
import { halvingRule } from "./apgd-halving.js";
import { largeLoss, type StepRule } from "./apgd-rule.js";
import { sparsityRule } from "./apgd-sparsity.js";
import { rowSums } from "../threat/rows.js";
import { intoBallAndBox } from "../threat/threat.js";
import type { AttackTarget } from "./attack.js";
import { asColumn, columnInput } from "./nearest.js";
import { simplifiedLoop } from "./loop.js";
import type { AttackLoss } from "./losses.js";
import { copiesFor, repeatedClasses, splitDraws, viewAt } from "./expectation.js";
import { attackInputs, openInputs } from "./white-box.js";

export interface ApgdGraphOptions {
  /** The loss to climb. */
  readonly loss: (candidates: Node) => AttackLoss;
  /** Whether the loss takes a class of each row beside its label: an input `candidates` [n], int32. */
  readonly takesCandidates: boolean;
  /** +1 away from the labels, −1 towards them. */
  readonly direction: Operand;
  /** 1 where a fallen point ends its row's search, 0 where its search goes on (in a larger ball). */
  readonly settling: Operand;
  readonly steps: number;
  readonly rho: number;
  /** Draws of a random model that each step looks at; default 1. */
  readonly eot?: number | undefined;
}

export interface ApgdGraph {
  readonly loop: LoopFunction;
  /** The states of the first iteration by name, from `start`: any points near `input`. */
  readonly begin: GraphFunction;
}

/** States of which every norm has the same. */
function sharedStates(model: Model) {
  const whole = (name: string) => input(name, [B, ...model.inputShape]);
  const column = (name: string) => columnInput(model, name);
  return {
    point: whole("point"),
    gradient: whole("gradient"),
    best: whole("best"),
    bestGradient: whole("best_gradient"),
    bestLoss: column("best_loss"),
    stepSize: column("step_size"),
    window: column("window"),
    left: column("left"),
  };
}
type Shared = ReturnType<typeof sharedStates>;

/** Where every state begins. */
function beginning(shared: Shared, start: Node, rule: StepRule): GraphFunction["outputs"] {
  const own: Record<keyof Shared, Operand> = {
    point: start,
    gradient: mul(start, 0),
    best: start,
    bestGradient: mul(start, 0),
    bestLoss: -largeLoss,
    stepSize: rule.stepSize,
    window: rule.window,
    left: rule.window + 1,
  };
  const none = mul(rowSums(start), 0);
  const all = [
    ...Object.entries(shared).map(([key, state]) => ({ input: state, start: own[key as keyof Shared] })),
    ...rule.states,
  ];
  return Object.fromEntries(
    all.map(({ input: { name, shape }, start: value }) => {
      const likeState = typeof value !== "number" && value.shape.length === shape.length;
      return [name, likeState ? value : add(none, value)];
    }),
  );
}

/** Where one evaluation of loss and gradient leads, and what the rule makes of it. */
function nextStates(shared: Shared, rule: StepRule, seen: Evaluated): ReadonlyMap<InputNode, Node> {
  const { point, best, bestGradient, bestLoss, stepSize, window, left } = shared;
  const better = greater(seen.loss, bestLoss);
  const kept = {
    best: where(better, seen.point, best),
    bestGradient: where(better, seen.gradient, bestGradient),
    bestLoss: where(better, seen.loss, bestLoss),
  };
  const remaining = sub(left, 1);
  const due = less(remaining, 0.5);
  const { loss } = seen;
  const decision = rule.decide({
    point,
    stepSize,
    loss,
    best: kept.best,
    bestLoss: kept.bestLoss,
    due,
    window,
  });
  const { back } = decision;
  return new Map<InputNode, Node>([
    [point, where(back, kept.best, seen.point)],
    [shared.gradient, where(back, kept.bestGradient, seen.gradient)],
    [best, kept.best],
    [bestGradient, kept.bestGradient],
    [bestLoss, kept.bestLoss],
    [stepSize, decision.stepSize],
    [window, decision.window],
    [left, where(due, decision.window, remaining)],
    ...rule.states.map((state, i) => [state.input, decision.states[i] ?? state.input] as const),
  ]);
}

interface Evaluated {
  readonly point: Node;
  readonly loss: Node;
  readonly gradient: Node;
}

/**
 * Moves each point by its norm's rule, looks at loss and gradient there, keeps the best point with its gradient, and at
 * checkpoints lets the rule decide on step size and return to the best. The first iteration sees the start, since its
 * gradient is zero: steps + 1 iterations make an attack. State `best`: the fallen point, or that of highest loss.
 */
export function apgdGraph(target: AttackTarget, options: ApgdGraphOptions): ApgdGraph {
  const { classifier, threat } = target;
  const { model, bounds } = classifier;
  const inputs = attackInputs(model);
  const { input: center, labels, epsilon } = inputs;
  const { direction, settling } = options;
  const from = input("start", [B, ...model.inputShape]);
  const start = intoBallAndBox(threat, from, { center, epsilon, bounds });
  const rule = (threat.name === "l1" ? sparsityRule : halvingRule)(target, { ...options, inputs, start });
  const shared = sharedStates(model);
  const point = rule.move(shared);
  const candidates = input("candidates", [B], "int32");
  const copies = copiesFor(model, options.eot);
  const loss = options.loss(repeatedClasses(candidates, copies));
  const seen = viewAt(classifier, point, inputs, { loss, direction, copies });
  const { gradient } = seen;
  const down = cast(asColumn(model, seen.down), "float32");
  const level = mul(asColumn(model, seen.level), direction);
  const reached = add(level, mul(down, mul(largeLoss, settling)));
  const next = nextStates(shared, rule, { point, loss: reached, gradient });
  const standing = sum(cast(less(next.get(shared.bestLoss) ?? reached, largeLoss / 2), "float32"));
  const open = openInputs(direction, settling);
  const { scanned, invariant: weights } = splitDraws(inputs);
  const taken = options.takesCandidates ? [candidates] : [];
  return {
    begin: simplify(graphFunction("begin", [from, center, epsilon], beginning(shared, start, rule))),
    loop: simplifiedLoop({
      name: "apgd",
      carried: [...next].map(([state, node]) => ({ input: state, next: node })),
      scanned,
      invariant: [center, labels, epsilon, ...taken, ...open, ...weights],
      outputs: {},
      proceed: greater(standing, 0),
    }),
  };
}
