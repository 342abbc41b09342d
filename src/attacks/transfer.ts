// Transfer (Papernot, McDaniel & Goodfellow 2016): points crafted on another model, judged on this one.
import { check } from "../base/errors.js";
import { count, formatShape } from "../base/shape.js";
import { tensor } from "../base/tensor.js";
import type { Classifier } from "../nn/model.js";
import { checkNorm, guarded, type Attack } from "./attack.js";

/** The model on which points are crafted. */
export interface TransferSource {
  readonly classifier: Classifier;
  /** What records call it. */
  readonly name: string;
}

function checkFit({ classifier: { model }, name }: TransferSource, target: Classifier): void {
  const where = `transfer from ${name}`;
  const { inputShape, classes } = target.model;
  check(
    count(model.inputShape) === count(inputShape),
    where,
    `inputs of ${count(inputShape)} numbers, as in ${formatShape(inputShape)}`,
    () => formatShape(model.inputShape),
  );
  check(model.classes === classes, where, `${classes} classes`, () => String(model.classes));
}

/**
 * The attack `transfer`: what `attack` makes of the inputs on `source`. Gradient attacks that fill the ball; those that
 * may go on after success (`rest: false`) transfer best. The models' inputs hold equally many numbers, in one order.
 */
export function transferFrom(source: TransferSource, attack: Attack): Attack {
  const fills = attack.kind !== "black-box" && attack.nearest !== true && attack.stages === undefined;
  check(fills, "transfer", "a gradient attack within a fixed ε", () => `'${attack.name}'`);
  const transfer: Attack = {
    name: "transfer",
    kind: "black-box",
    options: { from: source.name, attack: attack.name, ...attack.options },
    norms: attack.norms,
    async prepare(context) {
      checkNorm(transfer, context.threat);
      checkFit(source, context.classifier);
      const { model } = source.classifier;
      const classifier = { ...source.classifier, bounds: context.classifier.bounds };
      const prepared = await attack.prepare({ ...context, classifier });
      return {
        perturb: guarded(transfer, context, (batch) => {
          const shape = [batch.labels.length, ...model.inputShape];
          return prepared.perturb({ ...batch, inputs: tensor("float32", shape, batch.inputs.data) });
        }),
        release: () => prepared.release(),
      };
    },
  };
  return transfer;
}
