// Attacks as recipes and command lines name them: `{ pgd: { epsilon: [0.1, 0.2], norm: l2, steps: 40 } }`.
import { z } from "zod";
import { checkAim, checkClasses, checkNorm } from "../attacks/attack.js";
import * as attackRegistry from "../attacks/index.js";
import { parseOptions, quantity } from "../base/options.js";
import { findThreat, normNames, type NormName } from "../threat/find.js";
import { checkRadius } from "../threat/threat.js";
import { create, readReference, withPath, type Reference } from "./references.js";

const epsilons = z.preprocess(
  (given) => (Array.isArray(given) ? (given as unknown[]) : [given]),
  z.array(quantity(0)).min(1),
);

const attackEntry = z.object({
  epsilon: epsilons.describe("radius or radii, input units"),
  norm: z.enum(normNames).default("linf"),
  targeted: z.boolean().default(false).describe("reach a random wrong class in place of leaving the own"),
});

/** Attacks that look for the nearest point need no radius; accuracy is counted at those given. */
const nearestEntry = attackEntry.extend({ epsilon: epsilons.default([]) });

/** An attack with the radii and the norm it is run at. */
export interface AttackPlan extends Reference {
  readonly epsilons: readonly number[];
  readonly norm: NormName;
  /** Reach a random wrong class in place of leaving the own. */
  readonly targeted?: boolean;
}

/** `{ attack: { epsilon, norm, …options } }` → the attack's own options apart from ε and norm. */
export function readAttack(value: unknown, path: readonly PropertyKey[] = []): AttackPlan {
  const [name = ""] = typeof value === "object" && value !== null ? Object.keys(value) : [String(value)];
  const given = typeof value === "object" && value !== null ? (Object.values(value)[0] as unknown) : {};
  const {
    epsilon: _epsilon,
    norm: _norm,
    targeted: _targeted,
    ...rest
  } = (given ?? {}) as Record<string, unknown>;
  const { name: known, options } = readReference(attackRegistry, "attack", { [name]: rest }, path);
  const attack = create(attackRegistry, "attack", { name: known, options });
  const plan = withPath([...path, name], () =>
    attack.nearest
      ? parseOptions(name, nearestEntry, given ?? {})
      : parseOptions(name, attackEntry, given ?? {}),
  );
  const { epsilon, norm, targeted } = plan;
  const threat = findThreat(norm);
  withPath([...path, name, "targeted"], () => checkAim(attack, targeted));
  withPath([...path, name, "norm"], () => checkNorm(attack, threat));
  for (const each of epsilon) withPath([...path, name, "epsilon"], () => checkRadius(threat, each, name));
  return { name: known, options, epsilons: [...new Set(epsilon)], norm, ...(targeted && { targeted }) };
}

/** Throws unless every planned attack works on models of so many classes. */
export function checkPlans(plans: readonly AttackPlan[], classes: number): void {
  for (const plan of plans) checkClasses(create(attackRegistry, "attack", plan), classes);
}
