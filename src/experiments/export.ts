// What can leave Temper as one ONNX file of the standard domain: a whole attack, a training step.
import type { Attack } from "../attacks/attack.js";
import { check } from "../base/errors.js";
import type { Classifier } from "../nn/model.js";
import { exportLoop } from "../onnx/export.js";
import { findThreat, type NormName } from "../threat/find.js";
import { methodNamed, type RecipeFile } from "./cases.js";
import { networkOf } from "./input-preprocessing.js";
import { datasetForm } from "./recipe-dataset.js";
import { stepOf } from "./step.js";

export interface ExportAttackOptions {
  /** Norm of the ball, default `linf`. */
  readonly norm?: NormName;
  /** Reach the labels in place of leaving them, default false. */
  readonly targeted?: boolean;
}

/** The whole attack on `classifier` as an ONNX file; throws where the attack is not one graph. */
export function exportAttack(
  attack: Attack,
  classifier: Classifier,
  { norm = "linf", targeted = false }: ExportAttackOptions = {},
): Uint8Array {
  const file = attack.toOnnx?.({ classifier, threat: findThreat(norm) }, { targeted });
  check(file !== undefined, "export", "an attack that is one graph", () => `'${attack.name}', which is not`);
  return file;
}

/** The training step of the recipe's method called `name` (or of its only one) as an ONNX file: a Loop over steps. */
export function exportStep(file: RecipeFile, name?: string): Uint8Array {
  const { recipe, method, name: known } = methodNamed("export", file, name);
  const { imageShape, classes } = datasetForm(recipe.dataset);
  const model = networkOf(recipe)({ inputShape: imageShape, classes });
  return exportLoop(stepOf(recipe, method, model).loop, { metadata: { "temper.method": known } });
}
