// AutoAttack (Croce & Hein 2020; L1: Croce & Hein 2021): four attacks of different kinds, none with a step size to tune.
import { z } from "zod";
import { unit } from "../base/options.js";
import { apgdCe } from "./apgd-ce.js";
import { apgdDlr } from "./apgd-dlr.js";
import { apgdT } from "./apgd-t.js";
import type { Attack, AttackTarget } from "./attack.js";
import { fab } from "./fab.js";
import { fabT } from "./fab-t.js";
import { square } from "./square.js";
import { suite } from "./suite.js";

const schema = z.strictObject({
  version: z
    .enum(["standard", "plus", "rand", "fast"])
    .default("standard")
    .describe(
      "standard: the published one; plus: six stages and five restarts; rand: for random models, APGD-CE and APGD-DLR with gradients averaged over 20 draws; fast: three targets, 1,000 queries, no FAB-T",
    ),
});
type Version = z.output<typeof schema>["version"];

/** Target classes and queries of the fast version; the published ones have nine and 5,000. */
const fast = { targets: 3, queries: 1000 } as const;

/** Draws over which the version for random models averages its gradients. */
const randDraws = 20;

/** Auto-PGD's budget by norm: in L1 searches in larger balls first, five restarts, five target classes. */
const budgetOf = ({ threat }: AttackTarget) =>
  threat.name === "l1"
    ? ({ auto: { largerBalls: true }, restarts: 5, targets: 5 } as const)
    : ({ auto: {}, restarts: 1, targets: 9 } as const);

/** Auto-PGD on a second loss: the difference of logits ratio, which needs three classes; with two FAB's walk. */
const leaving = (target: AttackTarget, restarts: number): Attack =>
  target.classifier.model.classes >= 3 ? apgdDlr({ ...budgetOf(target).auto, restarts }) : fab({ restarts });

/** Auto-PGD on the targeted ratio, which needs four classes; with fewer what leaves a class. */
const aimed = (target: AttackTarget, targets: number): Attack =>
  target.classifier.model.classes >= 4 ? apgdT({ ...budgetOf(target).auto, targets }) : leaving(target, 1);

const stagesOf: Readonly<Record<Version, (target: AttackTarget) => readonly Attack[]>> = {
  standard: (target) => {
    const { auto, restarts, targets } = budgetOf(target);
    return [apgdCe({ ...auto, restarts }), aimed(target, targets), fabT(), square()];
  },
  plus: (target) => {
    const { auto, targets } = budgetOf(target);
    const { classes } = target.classifier.model;
    return [
      apgdCe({ ...auto, restarts: 5 }),
      // With two classes the second loss is FAB's walk already.
      ...(classes >= 3 ? [leaving(target, 5)] : []),
      fab({ restarts: 5 }),
      square(),
      ...(classes >= 4 ? [apgdT({ ...auto, targets })] : []),
      fabT(),
    ];
  },
  rand: (target) => {
    const { auto } = budgetOf(target);
    const ratio = target.classifier.model.classes >= 3 ? [apgdDlr({ ...auto, eot: randDraws })] : [];
    return [apgdCe({ ...auto, eot: randDraws }), ...ratio];
  },
  fast: (target) => [
    apgdCe(budgetOf(target).auto),
    aimed(target, fast.targets),
    square({ queries: fast.queries }),
  ],
};

const leftOut: Readonly<Record<Version, readonly string[]>> = {
  standard: [],
  plus: [],
  rand: ["APGD-T, FAB-T and Square: the published version for random models"],
  fast: [
    "FAB-T",
    `all but ${fast.targets} of nine target classes`,
    `all but ${fast.queries} of 5,000 queries`,
  ],
};

/** APGD-CE, APGD-T, FAB-T and Square with their published budgets, each on the points that the ones before left. */
export const autoattack = unit(
  "autoattack",
  "AutoAttack: APGD-CE, APGD-T, FAB-T, Square",
  schema,
  ({ version }) =>
    suite({
      name: "autoattack",
      options: { version },
      untargeted: true,
      norms: ["linf", "l2", "l1"],
      stages: stagesOf[version],
      leavesOut: leftOut[version],
    }),
);
