// Whether the classifier has gradients at all: without them no gradient attack means anything.
import { attackLosses } from "../attacks/losses.js";
import { outputNamed, range, runRows } from "../attacks/rows.js";
import { ascentAt, attackInputs } from "../attacks/white-box.js";
import { tensor } from "../base/tensor.js";
import { graphFunction } from "../graph/function.js";
import { simplify } from "../graph/simplify.js";
import type { Classifier } from "../nn/model.js";
import type { Engine } from "../runtime/engine.js";
import { loadFunction } from "../runtime/load.js";
import { largestOfRows } from "../threat/rows.js";

export interface GradientShare {
  /** Points whose gradient is zero in every coordinate. */
  readonly zero: number;
  /** Points whose gradient is infinite or not a number. */
  readonly nonFinite: number;
  readonly checked: number;
}

/** Looks at the gradient of the cross-entropy at each row of `points`. */
export async function probeGradients(
  classifier: Classifier,
  engine: Engine,
  points: Float32Array,
  labels: Int32Array,
): Promise<GradientShare> {
  const inputs = attackInputs(classifier.model);
  const { input, labels: own, weights } = inputs;
  const { gradient } = ascentAt(classifier, input, inputs, {
    loss: attackLosses["cross-entropy"],
    direction: 1,
  });
  const fn = simplify(
    graphFunction("probe", [input, own, ...weights.values()], { size: largestOfRows(gradient) }),
  );
  const program = await loadFunction(engine, fn, { weights: classifier.weights });
  const outputs = await runRows(program, range(labels.length), {
    perRow: {
      input: tensor("float32", [labels.length, ...classifier.model.inputShape], points),
      labels: tensor("int32", [labels.length], labels),
    },
  });
  await program.release();
  const sizes = Array.from(outputNamed(outputs, "size").data, Number).slice(0, labels.length);
  return {
    zero: sizes.filter((s) => s === 0).length,
    nonFinite: sizes.filter((s) => !Number.isFinite(s)).length,
    checked: sizes.length,
  };
}
