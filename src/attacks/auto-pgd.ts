// Auto-PGD under any name (Croce & Hein 2020, 2021): projected gradient that finds its own step sizes.
import { z } from "zod";
import { check } from "../base/errors.js";
import { quantity } from "../base/options.js";
import { input, type Node } from "../graph/node.js";
import { exportLoop } from "../onnx/export.js";
import type { Program } from "../runtime/engine.js";
import { loadFunction, loadLoop } from "../runtime/load.js";
import { apgdGraph, type ApgdGraphOptions } from "./apgd-graph.js";
import { climb, longestRun, startOf, type Part, type PreparedPart, type Round } from "./apgd-run.js";
import {
  checkAim,
  checkTarget,
  guarded,
  optionsGiven,
  type Attack,
  type AttackBatch,
  type AttackContext,
  type AttackTarget,
} from "./attack.js";
import { copiesFor, eotOption } from "./expectation.js";
import type { AttackLoss } from "./losses.js";
import { metadataOf } from "./metadata.js";
import { loadLogits, outlookOf } from "./nearest.js";
import { withResult } from "./pgd-graph.js";
import { inParts } from "./parts.js";
import { range } from "./rows.js";
import { aim } from "./white-box.js";

export const autoPgdSchema = z.strictObject({
  steps: z.int().min(1).default(100).describe("iterations of each run"),
  restarts: z.int().min(1).default(1).describe("runs; the strongest point of each sample is kept"),
  rho: quantity(0, 1)
    .default(0.75)
    .describe("share of steps that must raise the loss, or the step size is halved (L∞ and L2)"),
  randomStart: z.boolean().default(true).describe("start at a random point of the ball"),
  eot: eotOption,
  largerBalls: z
    .boolean()
    .default(false)
    .describe("spend 30 % of the steps in a ball of 3ε and 30 % in one of 2ε first (L1)"),
});
export type AutoPgdOptions = z.output<typeof autoPgdSchema>;

export interface AutoPgd {
  readonly name: string;
  readonly options: AutoPgdOptions;
  /** As records show them. */
  readonly shown: Parameters<typeof optionsGiven>[0];
  readonly loss: (candidates: Node) => AttackLoss;
  /** Whether a row's search ends where it has fallen; default true. */
  readonly rest?: boolean;
  /** Whether the loss makes sense for leaving labels alone. */
  readonly untargeted?: true;
  /** How many classes beside the label to aim at, one after another; left out where the loss takes none. */
  readonly targets?: number;
}

/** The whole search in one ball, or 3ε, 2ε and ε in turn. */
function partsOf({ steps, largerBalls }: AutoPgdOptions): Part[] {
  if (!largerBalls) return [{ scale: 1, steps }];
  const larger = Math.ceil(0.3 * steps);
  const last = steps - 2 * larger;
  return [
    { scale: 3, steps: larger },
    { scale: 2, steps: larger },
    { scale: 1, steps: last },
  ];
}

/** Throws where larger balls are asked for in another norm than L1. */
function checkBalls({ name, options }: AutoPgd, { threat }: AttackTarget): void {
  const fits = !options.largerBalls || threat.name === "l1";
  check(fits, `${name}.largerBalls`, "false outside l1", () => `true in ${threat.name}`);
}

/** The rounds of one batch: every target class (where the loss takes one) and every restart. */
function* roundsOf(
  { options: { restarts, randomStart: random }, targets }: AutoPgd,
  batch: AttackBatch,
  context: AttackContext,
  { scale, rivals }: { readonly scale: number; readonly rivals: readonly Int32Array[] },
): Generator<Round> {
  const own = rivals[0]?.length ?? 0;
  const ranks = targets === undefined ? 1 : Math.min(targets, own);
  for (let round = 0; round < ranks * restarts; round++) {
    const start = startOf(batch, context, { random, scale, round });
    const rank = Math.floor(round / restarts);
    const candidates = Int32Array.from(rivals, (row) => row[rank] ?? 0);
    yield { start, ...(targets !== undefined && { candidates }) };
  }
}

const graphOptions = (
  { options, loss, targets }: AutoPgd,
  more: Pick<ApgdGraphOptions, "direction" | "settling" | "steps">,
): ApgdGraphOptions => ({
  loss,
  takesCandidates: targets !== undefined,
  rho: options.rho,
  eot: options.eot,
  ...more,
});

async function preparePart(definition: AutoPgd, part: Part, context: AttackContext): Promise<PreparedPart> {
  const { weights, model } = context.classifier;
  const open = { direction: input("direction", []), settling: input("settling", []) };
  const graph = apgdGraph(context, graphOptions(definition, { ...open, steps: part.steps }));
  return {
    ...part,
    begin: await loadFunction(context.engine, graph.begin),
    loop: await loadLoop(context.engine, graph.loop, { weights }),
    copies: copiesFor(model, definition.options.eot),
  };
}

/** Auto-PGD on one loss. */
export function autoPgd(definition: AutoPgd): Attack {
  const { name, options, shown, targets, untargeted, rest = true } = definition;
  const { restarts, randomStart } = options;
  check(restarts === 1 || randomStart, `${name}.restarts`, "1 without a random start", () =>
    String(restarts),
  );
  const parts = partsOf(options);
  const last = parts.at(-1)?.steps ?? 0;
  check(last >= 1, `${name}.steps`, "3 or more with larger balls", () => String(options.steps));
  const attack: Attack = {
    name,
    kind: "iterative",
    classes: definition.loss(input("candidates", [1], "int32")).classes,
    ...(untargeted && { untargeted }),
    options: optionsGiven(shown),
    norms: ["linf", "l2", "l1"],
    unresting: () => autoPgd({ ...definition, rest: false, shown: { ...shown, rest: false } }),
    async prepare(context) {
      checkTarget(attack, context);
      checkBalls(definition, context);
      const prepared: PreparedPart[] = [];
      for (const part of parts) prepared.push(await preparePart(definition, part, context));
      const logits = targets === undefined ? null : await loadLogits(context);
      const scale = parts[0]?.scale ?? 1;
      const copies = copiesFor(context.classifier.model, options.eot);
      const programs: Program[] = prepared.flatMap(({ begin, loop }) => [begin, loop]);
      return {
        perturb: guarded(attack, context, (whole) =>
          inParts(whole, context, { copies, iterations: longestRun }, async (batch) => {
            const all = { rows: range(batch.labels.length), rivals: [] };
            const { rows, rivals } = logits === null ? all : await outlookOf(logits, batch);
            const rounds = roundsOf(definition, batch, context, { scale, rivals });
            return climb(prepared, batch, context, { rows: rest ? rows : all.rows, rounds, rest });
          }),
        ),
        release: async () => {
          for (const program of programs) await program.release();
          await logits?.release();
        },
      };
    },
    toOnnx(target, { targeted }) {
      checkTarget(attack, target);
      checkAim(attack, targeted);
      checkBalls(definition, target);
      const { weights } = target.classifier;
      const fixed = { direction: aim(targeted), settling: rest ? 1 : 0 };
      const { loop, begin } = apgdGraph(target, graphOptions(definition, { ...fixed, steps: options.steps }));
      const metadata = metadataOf(attack, target, targeted);
      const file = exportLoop(loop, { weights, metadata, begin, iterations: options.steps + 1 });
      return withResult(file, "best", "adversarial");
    },
  };
  return attack;
}
