// What an exported attack says about itself.
import type { Attack, AttackTarget } from "./attack.js";

/** Key–value pairs for the ONNX file of `attack`. */
export const metadataOf = (
  { name, options }: Attack,
  { classifier, threat }: AttackTarget,
  targeted: boolean,
): Readonly<Record<string, string>> => ({
  "temper.attack": name,
  "temper.norm": threat.name,
  "temper.targeted": String(targeted),
  "temper.bounds": classifier.bounds.join(" "),
  "temper.options": JSON.stringify(options),
});
