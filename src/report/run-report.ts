// The report of a run, as a document: doubts first, then the table, its conditions, the figures, the details.
import { publishedOf } from "../experiments/published.js";
import { questionsOf } from "../experiments/questions.js";
import type { ResultsFile } from "../experiments/records.js";
import type { RunRecord } from "../experiments/run-record.js";
import { imagesText, runConditions } from "./conditions.js";
import { corruptionBlocks, methodCorruptionTable } from "./corruptions.js";
import { heading, paragraph, type Block, type DataTable, type ReportDocument } from "./document.js";
import { runDoubts, runNotes } from "./doubts.js";
import type { Figure } from "./figure.js";
import { casesOf, namesOf } from "./methods.js";
import { imageBlocks } from "./image-comparisons.js";
import { publishedBlocks } from "./published.js";
import { profileDetails } from "./profile-report.js";
import { optionsTable } from "./method-options.js";
import { questionBlocks } from "./questions.js";
import { searchBlocks } from "./searches.js";
import { resultsTable, seedsTable } from "./results-table.js";
import { attackGroups } from "./table.js";
import { duration, integer, plural, smokeText } from "./text.js";
import { verdicts } from "./verdicts.js";

function leadOf(record: RunRecord): string {
  const { results, run } = record;
  const { rows, dataset, smoke } = results;
  if (smoke !== undefined) return smokeText(smoke);
  const records = rows.flatMap(({ robust }) => robust);
  const methods = new Set(rows.map(({ method }) => method)).size;
  const seeds = new Set(rows.map(({ seed }) => seed)).size;
  const epochs = [...new Set(rows.map((row) => row.epochs))];
  const trained = `${epochs.map(integer).join(" or ")} ${epochs.at(-1) === 1 ? "epoch" : "epochs"}`;
  const attacks = attackGroups(records).map(({ title }) => title);
  const attacked =
    attacks.length === 0
      ? "no attack was run"
      : `attacked on ${imagesText(records, "test image")} with ${attacks.join(", ")}`;
  const state = run.finished === null ? " The run is not finished." : "";
  const cases = casesOf(record).filter((each) => each !== undefined).length;
  const among = cases === 0 ? "" : ` in ${plural(cases, "case")}`;
  return `${plural(methods, "method")}${among} trained on ${dataset} for ${trained} with ${plural(seeds, "seed")}, then ${attacked}.${state}`;
}

/** Doubts, or that there are none, or that none were looked for. */
function doubtBlocks(results: ResultsFile): Block[] {
  const doubts = runDoubts(results);
  if (doubts.length > 0) return [heading(2, "Doubts"), { kind: "doubts", doubts }];
  const looked = results.rows.some(({ flags }) => flags !== undefined);
  return looked ? [paragraph("The diagnostics raised no doubt.")] : [];
}

/** Which methods hold, by the table above. */
function verdictBlocks(results: ResultsFile): Block[] {
  const found = verdicts(results);
  if (found === null) return [];
  const facts: Block[] = found.facts.length === 0 ? [] : [{ kind: "facts", facts: found.facts }];
  return [heading(3, "What holds"), ...facts, paragraph(found.rule)];
}

/** What the times depend on. */
function sideBySide({ run }: RunRecord): string {
  const most = Math.min(run.environment.jobs, Object.keys(run.times).length);
  return most > 1
    ? `Up to ${most} trials ran side by side: the times of each depend on those beside it.`
    : "Trials ran one after another.";
}

function timesTable({ run }: RunRecord): DataTable {
  return {
    caption: "Times by trial",
    corner: "trial",
    columns: ["training", "evaluation"].map((name) => ({ group: null, name })),
    rows: Object.entries(run.times).map(([name, { training, evaluation }]) => ({
      name,
      cells: [duration(training), duration(evaluation)],
    })),
  };
}

/** Models image by image, against their control. */
function imagesFold({ results, correct, run }: RunRecord): Block[] {
  const blocks = imageBlocks(results.rows, correct, publishedOf(run.recipe));
  return blocks.length === 0 ? [] : [{ kind: "details", summary: "Image by image", blocks }];
}

async function details(record: RunRecord): Promise<Block[]> {
  const { stringify } = await import("yaml");
  const { run, results } = record;
  const seeds = new Set(results.rows.map(({ seed }) => seed));
  const fold = (summary: string, ...blocks: Block[]): Block => ({ kind: "details", summary, blocks });
  const listing = (label: string, data: unknown): Block =>
    fold(label, { kind: "code", label, text: stringify(data) });
  return [
    heading(2, "Details"),
    ...(seeds.size > 1 ? [fold("Every seed", { kind: "table", table: seedsTable(results) })] : []),
    fold("Options of the methods", {
      kind: "table",
      table: optionsTable(record.results.rows, namesOf(record)),
    }),
    ...imagesFold(record),
    listing("Recipe, defaults included", run.recipe ?? null),
    listing("Environment", { identity: run.identity, ...run.environment }),
    ...record.profiles.map(profileDetails),
    fold("Times", paragraph(sideBySide(record)), { kind: "table", table: timesTable(record) }),
  ];
}

/** The whole report of `record` with its `figures`. */
export async function runReport(record: RunRecord, figures: readonly Figure[]): Promise<ReportDocument> {
  return {
    title: record.run.name,
    lead: leadOf(record),
    blocks: [
      ...doubtBlocks(record.results),
      heading(2, "Results"),
      { kind: "table", table: resultsTable(record.results) },
      ...runNotes(record.results).map(paragraph),
      ...verdictBlocks(record.results),
      ...questionBlocks(record.results.rows, questionsOf(record.run.recipe), {
        published: publishedOf(record.run.recipe),
      }),
      ...publishedBlocks(record.results.rows, publishedOf(record.run.recipe)),
      ...searchBlocks(record.run.searches),
      ...corruptionBlocks(methodCorruptionTable(record.results.rows), record.results.rows[0] ?? {}),
      heading(3, "Conditions"),
      { kind: "facts", facts: runConditions(record) },
      ...figureBlocks(figures),
      ...(await details(record)),
    ],
  };
}

/** The figures under a heading of their own, if there are any. */
const figureBlocks = (figures: readonly Figure[]): Block[] =>
  figures.length === 0
    ? []
    : [heading(2, "Figures"), ...figures.map((figure) => ({ kind: "figure" as const, figure }))];
