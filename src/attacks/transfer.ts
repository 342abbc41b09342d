// Transfer (Papernot, McDaniel & Goodfellow 2016): points crafted on another model, judged on this one.
import { check } from "../base/errors.js";
import { count, formatShape } from "../base/shape.js";
import { tensor } from "../base/tensor.js";
import type { Classifier, Model } from "../nn/model.js";
import { checkTarget, guarded, type Attack } from "./attack.js";
import { drawing } from "./draws.js";

/** The model on which points are crafted. */
export interface TransferSource {
  readonly classifier: Classifier;
  /** What records call it. */
  readonly name: string;
}

/** Throws unless points for the source are points for `target`, with as many classes. */
export function checkTransfer({ classifier: { model }, name }: TransferSource, target: Model): void {
  const where = `transfer from ${name}`;
  const { inputShape, classes } = target;
  check(
    count(model.inputShape) === count(inputShape),
    where,
    `inputs of ${count(inputShape)} numbers, as in ${formatShape(inputShape)}`,
    () => formatShape(model.inputShape),
  );
  check(model.classes === classes, where, `${classes} classes`, () => String(model.classes));
}

/** Whether the attack follows gradients to points anywhere in the ball: nearest points are the source's alone. */
export const canTransfer = (attack: Attack): boolean =>
  (attack.kind === "single-step" || attack.kind === "iterative") &&
  attack.nearest !== true &&
  attack.stages === undefined;

/** Whether an attack of this name is one of `transferFrom`. */
export const isTransfer = (name: string): boolean => name.includes(" transfer from ");

/**
 * The attack `ATTACK transfer from NAME`: what `attack` makes of the inputs on `source`. Gradient attacks that fill the ball;
 * those that go on after success (`unresting`) transfer best. The models' inputs hold equally many numbers, in one order.
 */
export function transferFrom(source: TransferSource, attack: Attack): Attack {
  check(canTransfer(attack), "transfer", "a gradient attack within a fixed ε", () => `'${attack.name}'`);
  const transfer: Attack = {
    name: `${attack.name} transfer from ${source.name}`,
    kind: "transfer",
    options: { from: source.name, attack: attack.name, ...attack.options },
    norms: attack.norms,
    async prepare(context) {
      checkTarget(transfer, context);
      checkTransfer(source, context.classifier.model);
      const { model } = source.classifier;
      const classifier = { ...source.classifier, bounds: context.classifier.bounds };
      const engine = drawing(context.engine, model, "attack");
      const prepared = await attack.prepare({ ...context, engine, classifier });
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
