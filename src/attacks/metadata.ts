// What an exported attack says about itself.
import { checkDrawsNothing } from "../nn/classifier.js";
import type { Attack, AttackTarget } from "./attack.js";

/** Key–value pairs for the ONNX file of `attack`; throws where the model is random, as a file draws nothing. */
export function metadataOf(
  { name, options }: Attack,
  { classifier, threat }: AttackTarget,
  targeted: boolean,
): Readonly<Record<string, string>> {
  checkDrawsNothing(classifier.model, "to write it with the attack", name);
  return {
    "temper.attack": name,
    "temper.norm": threat.name,
    "temper.targeted": String(targeted),
    "temper.bounds": classifier.bounds.join(" "),
    "temper.options": JSON.stringify(options),
  };
}
