// The options that the methods of a run were trained with.
import { methodName } from "../experiments/names.js";
import type { ResultRow } from "../experiments/records.js";
import type { DataTable } from "./document.js";
import { optionsText } from "./text.js";

/** Options and epochs of the methods called `names`, by their first rows. */
export const optionsTable = (rows: readonly ResultRow[], names: readonly string[]): DataTable => ({
  caption: "Options of each method, defaults included",
  corner: "method",
  columns: [
    { group: null, name: "epochs" },
    { group: null, name: "options", words: true },
  ],
  rows: names.map((name) => {
    const row = rows.find((each) => methodName(each) === name);
    return { name, cells: [String(row?.epochs ?? "–"), optionsText(row?.options ?? {}) || "none"] };
  }),
});
