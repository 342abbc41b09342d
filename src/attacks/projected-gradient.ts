// Projected gradient descent under any name: many small steps up the loss, each taken back into the ball.
import { z } from "zod";
import { check } from "../base/errors.js";
import { quantity } from "../base/options.js";
import { input } from "../graph/node.js";
import { exportLoop } from "../onnx/export.js";
import type { Program } from "../runtime/engine.js";
import { loadFunction, loadLoop } from "../runtime/load.js";
import {
  checkTarget,
  floatsOf,
  guarded,
  type Attack,
  type AttackBatch,
  type AttackContext,
  type AttackOptions,
} from "./attack.js";
import { copiesFor, eotOption } from "./expectation.js";
import { attackLosses, attackLossNames, type AttackLoss } from "./losses.js";
import { metadataOf } from "./metadata.js";
import { judgeOf, leaves, pgdLoop, withResult } from "./pgd-graph.js";
import { inParts } from "./parts.js";
import { ascend, iterationsPerRun, StrongestPoints, verdicts, type Walk } from "./pgd-run.js";
import { randomPoints } from "./random-start.js";
import { range } from "./rows.js";
import { aim } from "./white-box.js";

export const projectedGradientSchema = z.strictObject({
  steps: z.int().min(1).default(40).describe("iterations"),
  stepSize: quantity(0).optional().describe("length of a step in input units; default: relativeStepSize"),
  relativeStepSize: quantity(0).default(2.5).describe("length of a step in units of ε / steps"),
  randomStart: z.boolean().default(true).describe("start at a random point of the ball"),
  restarts: z
    .int()
    .min(1)
    .default(1)
    .describe("independent runs; the strongest point of each sample is kept"),
  loss: z.enum(attackLossNames).default("cross-entropy").describe("what the steps climb"),
  momentum: quantity(0)
    .default(0)
    .describe(
      "share of the sum of earlier gradients that is kept, each of mean size 1; 0: the last one alone",
    ),
  eot: eotOption,
  rest: z
    .boolean()
    .default(true)
    .describe(
      "leave points that have fallen where they are; false: go on, for points that other models fall for too",
    ),
});
export type ProjectedGradientOptions = z.output<typeof projectedGradientSchema>;

const stepSizeOf = (
  { stepSize, relativeStepSize, steps }: ProjectedGradientOptions,
  epsilon: number,
): number => stepSize ?? (relativeStepSize * epsilon) / steps;

/** The options among `own` that say what was run: of the two step sizes the one in force. */
function recordOf(options: ProjectedGradientOptions, own: readonly string[]): AttackOptions {
  const spare = options.stepSize === undefined ? "stepSize" : "relativeStepSize";
  const shown = Object.entries(options).flatMap(([key, value]) =>
    own.includes(key) && key !== spare && value !== undefined ? [[key, value] as const] : [],
  );
  return Object.fromEntries(shown);
}

interface Programs {
  readonly loop: Program;
  /** Compares restarts; absent where there is but one. */
  readonly judge: Program | null;
}

/** Every restart on the rows that none before brought down; of each row the strongest point. */
async function perturb(
  batch: AttackBatch,
  context: AttackContext,
  { loop, judge }: Programs,
  options: ProjectedGradientOptions,
): Promise<Float32Array> {
  const stepSize = stepSizeOf(options, batch.epsilon);
  const { steps, momentum, rest } = options;
  const { model } = context.classifier;
  const walk: Walk = {
    ...{ batch, steps, stepSize, momentum },
    rest: leaves(model, rest),
    copies: copiesFor(model, options.eot),
    signal: context.signal,
  };
  let rows: readonly number[] = range(batch.labels.length);
  const best = new StrongestPoints(batch);
  for (let restart = 0; restart < options.restarts && rows.length > 0; restart++) {
    const start = options.randomStart
      ? randomPoints(batch, context, restart)
      : floatsOf(batch.inputs).slice();
    const reached = await ascend(loop, walk, start, rows);
    if (judge === null) return reached;
    rows = best.offer(reached, rows, await verdicts(judge, walk, reached, rows));
  }
  return best.points;
}

/** The attack `name`: iterated steps up the loss within the ball. Records show the options named in `own`. */
export function projectedGradient(
  name: string,
  options: ProjectedGradientOptions,
  own: readonly string[] = Object.keys(options),
): Attack {
  const { loss, restarts, randomStart, momentum, rest, eot } = options;
  const climbed: AttackLoss = attackLosses[loss];
  check(restarts === 1 || randomStart, `${name}.restarts`, "1 without a random start", () =>
    String(restarts),
  );
  const attack: Attack = {
    name,
    kind: "iterative",
    classes: climbed.classes,
    options: recordOf(options, own),
    norms: ["linf", "l2", "l1"],
    unresting: () => projectedGradient(name, { ...options, rest: false }, [...own, "rest"]),
    async prepare(context) {
      checkTarget(attack, context);
      const { weights } = context.classifier;
      const graph = { loss: climbed, momentum, rest, eot, direction: input("direction", []) };
      const loop = await loadLoop(context.engine, pgdLoop(context, graph), { weights });
      const judge =
        restarts > 1 ? await loadFunction(context.engine, judgeOf(context, graph), { weights }) : null;
      return {
        perturb: guarded(attack, context, (batch) =>
          inParts(
            batch,
            context,
            { copies: copiesFor(context.classifier.model, eot), iterations: iterationsPerRun },
            (part) => perturb(part, context, { loop, judge }, options),
          ),
        ),
        release: async () => {
          await loop.release();
          await judge?.release();
        },
      };
    },
    toOnnx(target, { targeted }) {
      checkTarget(attack, target);
      const { weights } = target.classifier;
      const loop = pgdLoop(target, { loss: climbed, momentum, rest, direction: aim(targeted) });
      const metadata = metadataOf(attack, target, targeted);
      return withResult(exportLoop(loop, { weights, metadata }), "start", "adversarial");
    },
  };
  return attack;
}
