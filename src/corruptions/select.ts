// Corruptions by their names and by the names of groups, in the order in which reports show them.
import { failUnknown } from "../base/errors.js";
import { families, type Corruption } from "./corruption.js";
import * as registry from "./index.js";

const all: readonly Corruption[] = families.flatMap((family) =>
  Object.values(registry)
    .filter((corruption) => corruption.family === family)
    .sort((a, b) => (a.name < b.name ? -1 : 1)),
);

export const corruptionNames: readonly string[] = all.map(({ name }) => name);

/** Words that stand for several corruptions. */
const groups: Readonly<Record<string, (corruption: Corruption) => boolean>> = {
  all: () => true,
  common: ({ family }) => family !== "disturbance",
  disturbances: ({ family }) => family === "disturbance",
};

/**
 * The corruptions that `words` – names, `all`, `common`, `disturbances` – stand for; groups leave out what needs
 * colour where images have one channel. Throws for a word that is neither.
 */
export function selectCorruptions(where: string, words: readonly string[], channels = 3): Corruption[] {
  const chosen = new Set<Corruption>();
  for (const word of words) {
    const isMember = groups[word];
    const found = all.filter((corruption) =>
      isMember ? isMember(corruption) && (channels === 3 || !corruption.colorOnly) : corruption.name === word,
    );
    if (found.length === 0)
      failUnknown(where, "corruption", word, [...Object.keys(groups), ...corruptionNames]);
    for (const corruption of found) chosen.add(corruption);
  }
  return all.filter((corruption) => chosen.has(corruption));
}

/** The groups that have a mean where corruptions of these names are run. */
export const groupsAmong = (names: readonly string[]): string[] => [
  ...(names.some(isCommon) ? ["common"] : []),
  ...(names.some((name) => !isCommon(name)) ? ["disturbances"] : []),
];

/** Whether the corruption called `name` is one of the fifteen of Hendrycks & Dietterich. */
export const isCommon = (name: string): boolean =>
  all.some((corruption) => corruption.name === name && corruption.family !== "disturbance");
