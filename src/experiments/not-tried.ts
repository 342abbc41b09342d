// What an audit left out, in words: a figure is worth as much as what was tried.
import { createAttack, attackNames } from "../attacks/create.js";
import type { Attack } from "../attacks/attack.js";
import { normNames } from "../threat/find.js";
import type { AttackPlan } from "./attack-plan.js";
import { make } from "./recipe.js";

/** Names of all attacks that are so. */
const those = (is: (attack: Attack) => boolean): string =>
  attackNames.filter((name) => is(createAttack(name))).join(", ");

/** Kinds of attacks, norms and images that were not tried with `plans`; the gravest first. */
export function notTried(
  plans: readonly AttackPlan[],
  {
    left,
    corrupted,
    transferred,
  }: {
    /** Which images were taken, in words, where not all were. */
    readonly left: string | undefined;
    readonly corrupted: boolean;
    readonly transferred: boolean;
  },
): string[] {
  const attacks = plans.map((plan) => make.attack(plan));
  const tried = (is: (attack: Attack) => boolean): boolean =>
    attacks.some((attack) => attack.stages !== undefined || is(attack));
  const isBlackBox = ({ kind }: Attack): boolean => kind === "black-box";
  const isIterative = ({ kind }: Attack): boolean => kind === "iterative";
  const without = (words: string, is: (attack: Attack) => boolean): string[] =>
    tried(is) ? [] : [`${words} (${those(is)})`];
  const norms = normNames.filter((name) => plans.every(({ norm }) => norm !== name));
  return [
    ...without("attacks of many steps", isIterative),
    ...without("attacks without gradients", isBlackBox),
    ...without("searches for the nearest adversarial point", ({ nearest }) => nearest === true),
    ...(attacks.some((attack) => attack.stages !== undefined)
      ? []
      : ["AutoAttack, the standard of comparison (autoattack)"]),
    ...attacks.flatMap(({ name, leavesOut = [] }) =>
      leavesOut.length > 0 ? [`what is left out of ${name}: ${leavesOut.join(", ")}`] : [],
    ),
    ...(norms.length > 0 ? [`perturbations bounded in other norms (${norms.join(", ")})`] : []),
    ...(left === undefined ? [] : [`all but ${left}`]),
    ...(transferred ? [] : ["points crafted on other models (--transfer-from)"]),
    "attacks made for this model's own defence (adaptive attacks)",
    ...(corrupted ? [] : ["noise, blur, weather and compression (--corruptions)"]),
    "changes that no norm bounds: rotations, patches",
  ];
}
