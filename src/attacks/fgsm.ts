// Fast gradient sign method (Goodfellow, Shlens & Szegedy 2015): one step of length ε up the loss.
import { z } from "zod";
import { unit } from "../base/options.js";
import { graphFunction, type GraphFunction } from "../graph/function.js";
import { input, type Operand } from "../graph/node.js";
import { simplify } from "../graph/simplify.js";
import { exportFunction } from "../onnx/export.js";
import { add } from "../ops/arithmetic.js";
import { loadFunction } from "../runtime/load.js";
import { intoBox } from "../threat/threat.js";
import { checkTarget, floatsOf, guarded, labelsOf, type Attack, type AttackTarget } from "./attack.js";
import { attackLosses } from "./losses.js";
import { metadataOf } from "./metadata.js";
import { ascent, counted } from "./passes.js";
import { outputNamed, range, runRows } from "./rows.js";
import { aim, ascentAt, attackInputs, openInputs } from "./white-box.js";

/** clip(x + argmax ⟨∇loss, d⟩ over ‖d‖ ≤ ε); for L∞ that is x + ε·sign(∇loss). */
function fgsmFunction({ classifier, threat }: AttackTarget, direction: Operand): GraphFunction {
  const inputs = attackInputs(classifier.model);
  const { input: x, labels, epsilon, weights } = inputs;
  const { gradient } = ascentAt(classifier, x, inputs, { loss: attackLosses["cross-entropy"], direction });
  const step = threat.steepest(gradient, { from: x, length: epsilon, bounds: classifier.bounds });
  const adversarial = intoBox(add(x, step), classifier.bounds);
  const all = [x, labels, epsilon, ...openInputs(direction), ...weights.values()];
  return simplify(graphFunction("fgsm", all, { adversarial }));
}

/** One step from each point, along the gradient of the cross-entropy. */
export const fgsm = unit("fgsm", "one step of length ε along the gradient", z.strictObject({}), () => {
  const attack: Attack = {
    name: "fgsm",
    kind: "single-step",
    options: {},
    norms: ["linf", "l2", "l1", "l0"],
    async prepare(context) {
      checkTarget(attack, context);
      const { weights } = context.classifier;
      const fn = fgsmFunction(context, input("direction", []));
      const program = await loadFunction(context.engine, fn, { weights });
      return {
        perturb: guarded(attack, context, async (batch) => {
          const { inputs, labels, epsilon, targeted } = batch;
          const outputs = await runRows(program, range(labels.length), {
            perRow: { input: inputs, labels: labelsOf(batch) },
            scalars: { epsilon, direction: aim(targeted) },
            passes: counted(batch, ascent),
          });
          return floatsOf(outputNamed(outputs, "adversarial")).slice(0, floatsOf(inputs).length);
        }),
        release: () => program.release(),
      };
    },
    toOnnx(target, { targeted }) {
      checkTarget(attack, target);
      return exportFunction(fgsmFunction(target, aim(targeted)), {
        weights: target.classifier.weights,
        metadata: metadataOf(attack, target, targeted),
      });
    },
  };
  return attack;
});
