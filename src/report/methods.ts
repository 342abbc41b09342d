// The methods of a record in the order that decides their colours and symbols.
import type { RunRecord } from "../experiments/records.js";

/** Every method's name, those with results first, in order of appearance. */
export const methodsOf = ({ results, metrics, galleries }: RunRecord): string[] => [
  ...new Set([...results.rows, ...metrics, ...galleries].map(({ method }) => method)),
];
