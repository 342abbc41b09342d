// Searches of methods' options: what was found, and everything that was tried.
import { methodName } from "../experiments/names.js";
import type { SearchRecord } from "../experiments/records.js";
import { heading, paragraph, type Block, type DataTable } from "./document.js";
import { foundText, objectiveText, scoreText } from "./search-text.js";
import { optionsText, plural } from "./text.js";

/** What was found among what, in a sentence or two. */
export function searchText(record: SearchRecord): string {
  const { candidates, draws, seeds, rungs, eta } = record;
  const how = draws === null ? "every combination" : `${plural(draws.trials, "draw")}, seed ${draws.seed}`;
  const trained = `${seeds.length === 1 ? "seed" : "mean of seeds"} ${seeds.join(", ")}`;
  const [last, ...before] = rungs.toReversed();
  const pruned =
    before.length === 0 ? "" : `; one in ${eta} went on from ${before.reverse().join(" and ")} epochs`;
  return (
    `Search of ${methodName(record)}: ${foundText(record)}; the best of ${plural(candidates.length, "candidate")} (${how}) ` +
    `after ${plural(last ?? 0, "epoch")}, ${trained}${pruned}. Test images took no part.`
  );
}

/** Every candidate at every rung. */
function candidatesTable(record: SearchRecord): DataTable {
  const { candidates, rungs, images, found } = record;
  return {
    caption: `Candidates of ${methodName(record)}: ${objectiveText(record)} in % on ${plural(images, "validation image")}`,
    corner: "values",
    columns: [
      ...rungs.map((rung) => ({ group: "after epochs", name: String(rung) })),
      { group: null, name: "outcome", words: true },
    ],
    rows: candidates.map(({ values, scores, pruned }, i) => ({
      name: optionsText(values),
      cells: [
        ...rungs.map((_, rung) => {
          const score = scores[rung];
          return score === undefined ? "–" : scoreText(score, images);
        }),
        i === found ? "found" : pruned === null ? "" : `pruned at ${pruned}`,
      ],
    })),
  };
}

/** A section on the searches, where there were any. */
export const searchBlocks = (searches: readonly SearchRecord[] = []): Block[] =>
  searches.length === 0
    ? []
    : [
        heading(3, "Searches"),
        ...searches.flatMap((record): Block[] => [
          paragraph(searchText(record)),
          {
            kind: "details",
            summary: `All candidates of ${methodName(record)}`,
            blocks: [{ kind: "table", table: candidatesTable(record) }],
          },
        ]),
      ];
