// Searches of methods' options: what was found, and everything that was tried.
import { methodName } from "../experiments/names.js";
import type { SearchRecord } from "../experiments/records.js";
import { heading, paragraph, type Block, type DataTable } from "./document.js";
import { attackText, epsilonText, normText, optionsText, percent, plural } from "./text.js";

/** `accuracy`, or `accuracy under PGD L∞ at ε 0.1 (steps 10)`. */
function objectiveText({ objective }: SearchRecord): string {
  if (objective === "clean") return "accuracy";
  const { attack, norm, epsilon, options } = objective;
  const more = optionsText(options);
  const at = `${attackText(attack)} ${normText(norm)} at ε ${epsilonText(epsilon)}`;
  return `accuracy under ${at}${more === "" ? "" : ` (${more})`}`;
}

const scoreText = (score: number | null, images: number): string =>
  score === null ? "diverged" : percent(score, images);

/** `epsilon 0.5 found, 98.81 % of 5,000 validation images right`. */
export function foundText(record: SearchRecord): string {
  const { candidates, found, images } = record;
  const best = candidates[found];
  const score = scoreText(best?.scores.at(-1) ?? null, images);
  return `${optionsText(best?.values ?? {})} found, ${score} % ${objectiveText(record)} on ${plural(images, "validation image")}`;
}

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
