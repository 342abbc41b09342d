// Norm balls by the word a user writes.
import { failUnknown } from "../base/errors.js";
import * as threats from "./index.js";
import type { Threat } from "./threat.js";

/** Words for norms. */
export type NormName = keyof typeof threats;

const known: Readonly<Record<string, Threat>> = threats;

/** All of them. */
export const normNames = Object.keys(threats).sort() as [NormName, ...NormName[]];

/** The norm ball called `name`; throws with a did-you-mean when there is none. */
export function findThreat(name: string, where = "threat"): Threat {
  const found = Object.hasOwn(known, name) ? known[name] : undefined;
  return found ?? failUnknown(where, "norm", name, Object.keys(known).sort());
}
