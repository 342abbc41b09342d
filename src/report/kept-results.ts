// docs/RESULTS.md: every recipe whose results are kept, measured beside printed, from the records alone.
import type { Kept } from "../experiments/collect.js";
import type { KeptResults, KeptTrial } from "../experiments/kept-results.js";
import { methodName } from "../experiments/names.js";
import type { ResultsFile } from "../experiments/records.js";
import { heading, paragraph, type Block, type Fact, type ReportDocument } from "./document.js";
import { corruptionBlocks, methodCorruptionTable } from "./corruptions.js";
import { flagsText } from "./doubts.js";
import { imageBlocks } from "./image-comparisons.js";
import { markdown } from "./markdown.js";
import { optionsTable } from "./method-options.js";
import { publishedTableBlocks } from "./published.js";
import { questionBlocks } from "./questions.js";
import { stageNotes } from "./stages.js";
import { searchBlocks } from "./searches.js";
import { resultsTable } from "./results-table.js";
import { costTable } from "./training-costs.js";
import { duration, integer, percent, plural, sentence } from "./text.js";

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

/** `method (seeds 1, 2); other`: trials' names with the seeds of a method together. */
function trialsText(trials: readonly string[]): string {
  const parts = trials.map((trial) => /^(.*)-seed(\d+)$/.exec(trial) ?? [trial, trial, ""]);
  const methods = unique(parts.map(([, method = ""]) => method));
  const seedsOf = (name: string) => parts.flatMap(([, method, seed = ""]) => (method === name ? [seed] : []));
  return methods.map((method) => `${method} (${seedsOf(method).join(", ")})`).join("; ");
}

/** `3 of 10 trials are done. Not run, with their seeds: …`. */
function stateText({ trials, kept }: KeptResults): string {
  const done = new Set(kept.map(({ trial }) => trial));
  const left = trials.filter((trial) => !done.has(trial));
  if (kept.length === 0) return `Not run: none of its ${plural(trials.length, "trial")} is done.`;
  if (left.length === 0) return `All of its ${plural(trials.length, "trial")} are done.`;
  return `${integer(kept.length)} of its ${plural(trials.length, "trial")} are done. Not run, with their seeds: ${trialsText(left)}.`;
}

const commitText = (commit: string | null): string =>
  commit?.replace(/^(.{10})[^+]*/, "$1") ?? "not recorded";

/** The command that repeats a trial, and what it gave here. */
function recordLine(
  { recipe }: KeptResults,
  { trial, row, n, seconds, model, environment }: KeptTrial,
): string {
  const { training } = environment;
  const images = n === null ? "" : ` of ${plural(n, "test image")}`;
  const facts = [
    `${percent(row.clean, n ?? Infinity)} %${images}`,
    plural(row.epochs, "epoch"),
    `${duration(seconds.training)} + ${duration(seconds.evaluation)}`,
    `commit ${commitText(training?.commit ?? null)}`,
    `model ${model.slice(0, 16)}`,
  ];
  return `temper run ${recipe} --only ${trial}  # ${facts.join(", ")}`;
}

const environmentText = ({ environment: { training } }: KeptTrial): string =>
  training === null
    ? "not recorded"
    : `Temper ${training.temper}, Node ${training.node}, ONNX Runtime ${training.onnxruntime} (${training.provider}), ${plural(training.threads, "thread")}, ${training.processor}, ${training.platform}`;

const isChanged = (kept: readonly KeptTrial[]): boolean =>
  kept.some(({ environment: { training } }) => training?.commit?.endsWith("+") === true);

function provenance(results: KeptResults): Block[] {
  const { kept } = results;
  if (kept.length === 0) return [];
  const facts: Fact[] = [
    ["Trained on", unique(kept.map(environmentText)).join("; ")],
    [
      "Seeds",
      unique(kept.map(({ row }) => row.seed))
        .sort((a, b) => a - b)
        .join(", "),
    ],
    ["Dataset and split", `${results.dataset}, test`],
  ];
  const hours = kept.reduce((total, { seconds }) => total + seconds.training + seconds.evaluation, 0);
  return [
    heading(3, `Records of ${results.name}`),
    { kind: "facts", facts: [...facts, ["Time of all trials", duration(hours)]] },
    paragraph(
      `Each line repeats one record: training and evaluation times, the commit, and the first digits of the SHA-256 of the model's file (models/ in the run's folder), which comes out again on the same family of processors with the same versions. In a clone of the repository the command is npx temper.${isChanged(kept) ? " A + behind a commit: with changes to it that were not committed." : ""}`,
    ),
    { kind: "code", label: "Commands", text: kept.map((each) => recordLine(results, each)).join("\n") },
  ];
}

function measuredBlocks({ results: { kept, dataset, published }, images }: Kept): Block[] {
  if (kept.length === 0) return [];
  const file: ResultsFile = { schema: 1, dataset, rows: kept.map(({ row }) => row) };
  const doubts = flagsText(file.rows);
  return [
    heading(3, "All that was measured"),
    { kind: "table", table: optionsTable(file.rows, unique(file.rows.map(methodName))) },
    { kind: "table", table: resultsTable(file) },
    ...stageNotes(
      file.rows.flatMap(({ robust }) => robust),
      "column",
    ).map(paragraph),
    ...(doubts === null ? [] : [paragraph(doubts)]),
    ...corruptionBlocks(methodCorruptionTable(file.rows), file.rows[0] ?? {}),
    ...imageBlocks(file.rows, images.trials, published),
  ];
}

function costBlocks({ results: { kept } }: Kept): Block[] {
  const table = costTable(kept);
  return table === null ? [] : [{ kind: "table", table }];
}

function recipeBlocks(each: Kept): Block[] {
  const { results } = each;
  const rows = results.kept.map(({ row }) => row);
  return [
    heading(2, results.name),
    paragraph(
      `${results.description === null ? "" : `${sentence(results.description)} `}Recipe: ${results.recipe}. ${stateText(results)}`,
    ),
    ...results.published.flatMap((table) => publishedTableBlocks(rows, table)),
    ...searchBlocks(results.searches),
    ...measuredBlocks(each),
    ...costBlocks(each),
    ...provenance(results),
  ];
}

/** The questions of all recipes, with what was measured of them. */
function answers(all: readonly Kept[]): Block[] {
  const blocks = all.flatMap(({ results: { kept, questions, published, name, description } }) => {
    const rows = kept.map(({ row }) => row);
    const about = paragraph(
      `By the recipe ${name}${description === null ? "" : `: ${sentence(description)}`}`,
    );
    return questions.flatMap((question) => {
      const [head, ...answer] = questionBlocks(rows, [question], { published, kept });
      return head === undefined ? [] : [head, about, ...answer];
    });
  });
  return blocks.length === 0 ? [] : [heading(2, "What was asked, and the answers"), ...blocks];
}

/** All kept results as Markdown; equal records give equal bytes. */
export function resultsPage(all: readonly Kept[]): string {
  const document: ReportDocument = {
    title: "Results",
    lead: "What Temper measured of the papers' methods, beside what the papers printed, whether or not it agrees. Written from results/, in which the recipes' own descriptions are too, by: node scripts/results.mjs. No figure is typed by hand. Curves and pictures are drawn from a run's folder (temper report), not here. docs/DOUBTS.md says what the names of doubts mean.",
    blocks:
      all.length === 0
        ? [paragraph("Nothing is kept yet.")]
        : [...answers(all), ...all.flatMap(recipeBlocks)],
  };
  return markdown(document);
}
