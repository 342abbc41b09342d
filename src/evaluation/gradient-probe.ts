// Whether the classifier has gradients at all: without them no gradient attack means anything.
import { attackLosses } from "../attacks/losses.js";
import { drawing, withDraws } from "../attacks/draws.js";
import { outputNamed, range, runRows } from "../attacks/rows.js";
import { ascentAt, attackInputs } from "../attacks/white-box.js";
import { tensor } from "../base/tensor.js";
import { graphFunction } from "../graph/function.js";
import { simplify } from "../graph/simplify.js";
import type { Classifier } from "../nn/model.js";
import type { Engine, Samples } from "../runtime/engine.js";
import { loadFunction } from "../runtime/load.js";
import { abs } from "../ops/piecewise.js";
import { largestOfRows, rowSums } from "../threat/rows.js";

export interface GradientShare {
  /** Points whose gradient is zero in every coordinate. */
  readonly zero: number;
  /**
   * Points where ‖gradient‖₁ times the width of the input's range is less than float32 resolves of the logits: 2⁻²³ of
   * the largest. None where the range is infinite.
   */
  readonly tiny: number;
  /** Points whose gradient is infinite or not a number. */
  readonly nonFinite: number;
  readonly checked: number;
}

/** Looks at the gradient of the cross-entropy at each row of `points`. */
export async function probeGradients(
  classifier: Classifier,
  bare: Engine,
  points: Float32Array,
  { labels, samples }: { readonly labels: Int32Array; readonly samples: Samples },
): Promise<GradientShare> {
  const engine = drawing(bare, classifier.model, "attack");
  const inputs = attackInputs(classifier.model);
  const { input, labels: own, weights } = inputs;
  const { gradient, logits } = ascentAt(classifier, input, inputs, {
    loss: attackLosses["cross-entropy"],
    direction: 1,
  });
  const fn = simplify(
    graphFunction("probe", [input, own, ...weights.values()], {
      size: largestOfRows(gradient),
      total: rowSums(abs(gradient)),
      scale: largestOfRows(logits),
    }),
  );
  const program = await loadFunction(engine, fn, { weights: classifier.weights });
  const perRow = {
    input: tensor("float32", [labels.length, ...classifier.model.inputShape], points),
    labels: tensor("int32", [labels.length], labels),
  };
  const run = () => runRows(program, range(labels.length), { perRow });
  const outputs = await withDraws(engine, samples, run);
  await program.release();
  const column = (name: string): number[] =>
    Array.from(outputNamed(outputs, name).data, Number).slice(0, labels.length);
  const [sizes, totals, scales] = [column("size"), column("total"), column("scale")];
  const [low, high] = classifier.bounds;
  const reach = high - low < Infinity ? high - low : Infinity;
  return {
    zero: sizes.filter((s) => s === 0).length,
    tiny: totals.filter((total, i) => total > 0 && total * reach < 2 ** -23 * (scales[i] ?? 0)).length,
    nonFinite: sizes.filter((s) => !Number.isFinite(s)).length,
    checked: sizes.length,
  };
}
