// Defences stacked: the first sees the batch first and wraps all that follow.
import { check } from "../base/errors.js";
import type { Defense, Objective } from "./defense.js";
import { meanLoss } from "./standard.js";

/** The defences as one; at most one of them may move the stored inputs. */
export function compose(defenses: readonly Defense[]): Defense {
  const movers = defenses.filter((defense) => defense.movesInputs).length;
  check(movers <= 1, "compose", "at most one defence that moves the stored inputs", () => String(movers));
  return {
    wrap: (objective) => defenses.reduceRight<Objective>((inner, defense) => defense.wrap(inner), objective),
    movesInputs: movers === 1,
  };
}

/** What training with `defense` minimises. */
export const objectiveOf = (defense: Defense): Objective => defense.wrap(meanLoss);
