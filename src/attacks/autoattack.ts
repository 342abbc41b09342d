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
    .enum(["standard", "plus", "fast"])
    .default("standard")
    .describe(
      "standard: the published one; plus: six stages and five restarts; fast: three targets, 1,000 queries, no FAB-T",
    ),
});
type Version = z.output<typeof schema>["version"];

/** Target classes and queries of the fast version; the published ones have nine and 5,000. */
const fast = { targets: 3, queries: 1000 } as const;

/** Losses by how many classes there are: the difference of logits ratio needs three, its targeted form four. */
const aimed = ({ model }: AttackTarget["classifier"], targets: number, otherwise: Attack): Attack =>
  model.classes >= 4 ? apgdT({ targets }) : otherwise;

const stagesOf: Readonly<Record<Version, (target: AttackTarget) => readonly Attack[]>> = {
  standard: ({ classifier }) => [apgdCe(), aimed(classifier, 9, leaving(classifier, 1)), fabT(), square()],
  plus: ({ classifier }) => [
    apgdCe({ restarts: 5 }),
    leaving(classifier, 5),
    fab({ restarts: 5 }),
    square(),
    ...(classifier.model.classes >= 4 ? [apgdT()] : []),
    fabT(),
  ],
  fast: ({ classifier }) => [
    apgdCe(),
    aimed(classifier, fast.targets, leaving(classifier, 1)),
    square({ queries: fast.queries }),
  ],
};

/** Auto-PGD on a second loss beside the cross-entropy: the difference of logits ratio, or with two classes FAB's walk. */
const leaving = ({ model }: AttackTarget["classifier"], restarts: number): Attack =>
  model.classes >= 3 ? apgdDlr({ restarts }) : fab({ restarts });

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
      leavesOut:
        version === "fast"
          ? [
              "FAB-T",
              `all but ${fast.targets} of nine target classes`,
              `all but ${fast.queries} of 5,000 queries`,
            ]
          : [],
    }),
);
