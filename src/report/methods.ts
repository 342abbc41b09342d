// The methods of a record in the order that decides their colours and symbols.
import { methodName, type Origin } from "../experiments/names.js";
import type { RunRecord } from "../experiments/run-record.js";

const originsOf = ({ results, metrics, galleries }: RunRecord): Origin[] => [
  ...results.rows,
  ...metrics,
  ...galleries,
];

/** Every method's name without its case, those with results first, in order of appearance. */
export const methodsOf = (record: RunRecord): string[] => [
  ...new Set(originsOf(record).map(({ method }) => method)),
];

/** Every method's name with its case, in the same order. */
export const namesOf = (record: RunRecord): string[] => [...new Set(originsOf(record).map(methodName))];

/** The cases, in order of appearance; a single undefined one where there are none. */
export const casesOf = (record: RunRecord): (string | undefined)[] => [
  ...new Set(originsOf(record).map((origin) => origin.case)),
];

/** `title`, with the case in front where there is one. */
export const caseTitle = (of: string | undefined, title: string): string =>
  of === undefined ? title : `${of}: ${title}`;
