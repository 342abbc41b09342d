// Fast gradient sign method (Goodfellow, Shlens & Szegedy 2015): one step of length ε up the loss.
import { z } from "zod";
import { unit } from "../base/options.js";
import { graphFunction, type GraphFunction } from "../graph/function.js";
import { input } from "../graph/node.js";
import { simplify } from "../graph/simplify.js";
import { exportFunction } from "../onnx/export.js";
import { add } from "../ops/arithmetic.js";
import { loadFunction } from "../runtime/load.js";
import { intoBox } from "../threat/threat.js";
import {
  checkTarget,
  floatsOf,
  guarded,
  labelsOf,
  optionsGiven,
  type Attack,
  type AttackTarget,
} from "./attack.js";
import { copiesFor, eotOption, viewAt, type ViewOptions } from "./expectation.js";
import { attackLosses } from "./losses.js";
import { metadataOf } from "./metadata.js";
import { inParts } from "./parts.js";
import { ascent, counted, overDraws } from "./passes.js";
import { outputNamed, range, runRows } from "./rows.js";
import { aim, attackInputs, openInputs } from "./white-box.js";

/** clip(x + argmax ⟨∇loss, d⟩ over ‖d‖ ≤ ε); for L∞ that is x + ε·sign(∇loss). */
function fgsmFunction(
  { classifier, threat }: AttackTarget,
  { direction, copies }: Omit<ViewOptions, "loss">,
): GraphFunction {
  const inputs = attackInputs(classifier.model);
  const { input: x, labels, epsilon, weights } = inputs;
  const loss = attackLosses["cross-entropy"];
  const { gradient } = viewAt(classifier, x, inputs, { loss, direction, copies });
  const step = threat.steepest(gradient, { from: x, length: epsilon, bounds: classifier.bounds });
  const adversarial = intoBox(add(x, step), classifier.bounds);
  const all = [x, labels, epsilon, ...openInputs(direction), ...weights.values()];
  return simplify(graphFunction("fgsm", all, { adversarial }));
}

const schema = z.strictObject({ eot: eotOption });

/** One step from each point, along the gradient of the cross-entropy. */
export const fgsm = unit("fgsm", "one step of length ε along the gradient", schema, ({ eot }) => {
  const attack: Attack = {
    name: "fgsm",
    kind: "single-step",
    options: optionsGiven({ eot }),
    norms: ["linf", "l2", "l1", "l0"],
    async prepare(context) {
      checkTarget(attack, context);
      const { weights, model } = context.classifier;
      const copies = copiesFor(model, eot);
      const fn = fgsmFunction(context, { direction: input("direction", []), copies });
      const program = await loadFunction(context.engine, fn, { weights });
      return {
        perturb: guarded(attack, context, (whole) =>
          inParts(whole, context, { copies, iterations: 1 }, async (batch) => {
            const { inputs, labels, epsilon, targeted } = batch;
            const outputs = await runRows(program, range(labels.length), {
              perRow: { input: inputs, labels: labelsOf(batch) },
              scalars: { epsilon, direction: aim(targeted) },
              passes: counted(batch, overDraws(ascent, copies)),
            });
            return floatsOf(outputNamed(outputs, "adversarial")).slice(0, floatsOf(inputs).length);
          }),
        ),
        release: () => program.release(),
      };
    },
    toOnnx(target, { targeted }) {
      checkTarget(attack, target);
      return exportFunction(fgsmFunction(target, { direction: aim(targeted), copies: 1 }), {
        weights: target.classifier.weights,
        metadata: metadataOf(attack, target, targeted),
      });
    },
  };
  return attack;
});
