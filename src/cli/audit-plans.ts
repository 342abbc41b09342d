// Which attacks an audit runs, and at which radii, where the user says nothing of either.
import { fail } from "../base/errors.js";
import type { ImageShape } from "../data/dataset.js";
import type { AttackPlan } from "../experiments/attack-plan.js";
import { epsilonText, normText } from "../report/text.js";
import { readSettings } from "./settings.js";

type Defaults = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Without a choice: one step, many, and the fast form of AutoAttack, as far as the norm has them. */
const defaultsIn = (norm: AttackPlan["norm"]): Defaults =>
  norm === "l0" ? { fgsm: {}, jsma: {} } : { fgsm: {}, pgd: {}, autoattack: { version: "fast" } };

export interface PlanFlags {
  readonly attack?: readonly string[];
  readonly epsilon?: readonly string[];
  readonly norm: AttackPlan["norm"];
  readonly targeted?: boolean;
  readonly set: readonly string[];
  readonly corruptions?: readonly string[];
}

export interface Plans {
  /** As far as the command line says them. */
  readonly attacks: readonly AttackPlan[];
  /** With the radii that are usual for such images, where it says none. */
  over(imageShape: ImageShape): Planned;
}

export interface Planned {
  readonly attacks: readonly AttackPlan[];
  /** What was chosen for the user, and why. */
  readonly notes: readonly string[];
}

/** The attacks that the flags ask for. */
export async function readPlans({
  attack,
  epsilon,
  norm,
  targeted = false,
  set,
  corruptions,
}: PlanFlags): Promise<Plans> {
  const [{ readAttack }, { make }, { usualRadii }] = await Promise.all([
    import("../experiments/attack-plan.js"),
    import("../experiments/recipe.js"),
    import("../experiments/radii.js"),
  ]);
  const defaults = defaultsIn(norm);
  // Corruptions alone are run where neither attacks nor radii for them are named.
  const names = attack ?? (corruptions && epsilon === undefined ? [] : Object.keys(defaults));
  const settings = await readSettings(set, { units: names, main: names });
  for (const name of names)
    for (const key of ["epsilon", "norm"])
      if (key in (settings[name] ?? {}))
        fail(`--set ${name}.${key}`, `an option of ${name}`, key, `--${key}`);
  const plans = [...new Set(names)].map((name) => {
    const own = { ...(attack ? {} : defaults[name]), ...settings[name] };
    return readAttack({ [name]: { ...own, epsilon: epsilon ?? 0, norm, targeted } });
  });
  if (epsilon !== undefined) return { attacks: plans, over: () => ({ attacks: plans, notes: [] }) };
  const over = (imageShape: ImageShape): Planned => {
    const { epsilons, kind } = usualRadii(imageShape, norm);
    const isNearest = (plan: AttackPlan): boolean => make.attack(plan).nearest === true;
    const attacks = plans.map((plan) => ({ ...plan, epsilons: isNearest(plan) ? [] : [...epsilons] }));
    const radii = epsilons.map(epsilonText).join(" and ");
    const images = kind === "large" ? "large images" : `${kind} images`;
    const note = `ε ${radii}, usual in ${normText(norm)} for ${images}; --epsilon takes others`;
    return { attacks, notes: plans.every(isNearest) ? [] : [note] };
  };
  return { attacks: plans, over };
}
