// JSMA, the Jacobian-based saliency map attack (Papernot et al. 2016, "The limitations of deep learning in adversarial
// settings", algorithms 2 and 3): a few input elements at a time, those that raise a target class and lower the others.
import { z } from "zod";
import { gradient } from "../autodiff/gradient.js";
import { check } from "../base/errors.js";
import { quantity, unit } from "../base/options.js";
import { randomStream } from "../base/random.js";
import { B } from "../base/shape.js";
import { graphFunction, type GraphFunction } from "../graph/function.js";
import { input, type Node } from "../graph/node.js";
import { simplify } from "../graph/simplify.js";
import { sub } from "../ops/arithmetic.js";
import { argMax, oneHot } from "../ops/indexing.js";
import { softmax } from "../ops/log-softmax.js";
import { loadFunction } from "../runtime/load.js";
import { checkBounded } from "../threat/threat.js";
import { checkTarget, guarded, type Attack, type AttackBatch, type AttackTarget } from "./attack.js";
import { classesOf } from "./losses.js";
import { loadLogits, outlookOf, type Outlook } from "./nearest.js";
import { moveElements, nothingFound } from "./jsma-search.js";
import { range } from "./rows.js";
import { attackInputs, logitsAt } from "./white-box.js";

const schema = z.strictObject({
  map: z
    .enum(["pairs", "single"])
    .default("pairs")
    .describe("pairs: the two elements whose sums are most salient, as published; single: one at a time"),
  theta: quantity()
    .default(1)
    .describe("what an element changes by in a step, in input units; below 0 elements are decreased"),
  bothWays: z
    .boolean()
    .default(false)
    .describe("each step may increase or decrease elements, each element one way, by the size of theta"),
  of: z
    .enum(["logits", "probabilities"])
    .default("logits")
    .describe("whose derivatives the map holds: the layer before the softmax or the one after"),
  target: z
    .enum(["likeliest", "least-likely", "random", "each"])
    .default("likeliest")
    .describe(
      "class to reach where the labels are to be left: by the logits of the original, at random, or each in turn with the fewest changes kept",
    ),
  leastRoom: quantity(0, 1)
    .default(0.01)
    .describe(
      "elements with no more room than this share of the input range are left alone: they would be spent for nothing",
    ),
  gamma: quantity(0, 1).default(1).describe("most input elements to change, as a share of all of them"),
});
type Options = z.output<typeof schema>;

/**
 * At `input` [n, …], for the classes `targets` [n]: `gain` ∂F_t/∂x, `relief` −Σ_{j≠t} ∂F_j/∂x, and the classes of the
 * largest logits, `found` [n]. For probabilities the two are one (they sum to 1) and are those of log F_t, a positive
 * multiple, row by row, that does not vanish where F_t does.
 */
function saliencyFunction({ classifier }: AttackTarget, { of }: Options): GraphFunction {
  const inputs = attackInputs(classifier.model);
  const { input: x, weights } = inputs;
  const targets = input("targets", [B], "int32");
  const logits = logitsAt(classifier, x, inputs);
  const own = oneHot(targets, classesOf(logits));
  const slope = (cotangent: Node): Node => {
    const [found] = gradient(logits, [x], { cotangent });
    if (found === undefined) throw new Error("no gradient");
    return found;
  };
  const maps =
    of === "logits"
      ? { gain: slope(own), relief: slope(sub(own, 1)) }
      : { gain: slope(sub(own, softmax(logits))) };
  const all = [x, targets, ...weights.values()];
  return simplify(graphFunction("saliency", all, { ...maps, found: argMax(logits, -1) }));
}

/** The classes to reach of each row, one round after another. */
function roundsOf(
  { labels, targeted, indices, seed }: AttackBatch,
  { rivals }: Outlook,
  { target }: Options,
) {
  const others = rivals[0]?.length ?? 0;
  const ranked = (rank: number): Int32Array => Int32Array.from(rivals, (row) => row[rank] ?? 0);
  if (targeted) return [labels];
  if (target === "likeliest") return [ranked(0)];
  if (target === "least-likely") return [ranked(others - 1)];
  if (target === "each") return range(others).map(ranked);
  const stream = randomStream(seed, "jsma-target");
  const word = new Uint32Array(1);
  const drawn = rivals.map((row, i) => {
    stream.words(word, { sample: indices[i] ?? 0 });
    return row.toSorted((a, b) => a - b)[(word[0] ?? 0) % others] ?? 0;
  });
  return [Int32Array.from(drawn)];
}

/** Elements by the map of their saliency for a target class, each a step further, until the class changes. */
export const jsma = unit("jsma", "few input elements, by maps of their saliency", schema, (options) => {
  check(options.theta !== 0, "jsma.theta", "a number other than 0", () => "0");
  const attack: Attack = {
    name: "jsma",
    kind: "iterative",
    nearest: true,
    options,
    norms: ["l0"],
    async prepare(context) {
      checkTarget(attack, context);
      checkBounded("jsma", context.classifier.bounds);
      const { weights } = context.classifier;
      const program = await loadFunction(context.engine, saliencyFunction(context, options), { weights });
      const logits = await loadLogits(context);
      return {
        perturb: guarded(attack, context, async (batch) => {
          const outlook = await outlookOf(logits, batch);
          const found = nothingFound(batch);
          for (const targets of roundsOf(batch, outlook, options))
            await moveElements({ batch, context, program, options, found }, outlook.rows, targets);
          return found.points;
        }),
        release: async () => {
          await program.release();
          await logits.release();
        },
      };
    },
  };
  return attack;
});
