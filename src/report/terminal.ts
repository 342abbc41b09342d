// Tables for a terminal: plain columns, broken into several tables where they would be too wide.
import pc from "picocolors";
import type { AuditFile, ResultsFile, SearchRecord, StepProfile } from "../experiments/records.js";
import { auditVerdict } from "./audit-verdict.js";
import { epsilonUnit, imagesText, runUnit, seedText } from "./conditions.js";
import { corruptionNotes, corruptionTable, methodCorruptionTable } from "./corruptions.js";
import type { DataTable, Doubt } from "./document.js";
import { auditDoubts, runDoubts, runNotes } from "./doubts.js";
import { profileNotes } from "./profile-report.js";
import { kernelTable, kindTable, layerTable, passTable } from "./profile-tables.js";
import { aboutText, briefTable, budgetText, distancesTable } from "./audit-tables.js";
import { resultsTable } from "./results-table.js";
import { searchText } from "./searches.js";
import { stageNotes } from "./stages.js";
import { singleStepNotes } from "./strength.js";
import { groupBy } from "./table.js";
import { plain, sentence, shorten, smokeText } from "./text.js";
import { verdicts } from "./verdicts.js";

export interface TerminalOptions {
  /** ANSI colours; default: whether the terminal shows them. */
  readonly color?: boolean;
}

export interface TerminalTableOptions extends TerminalOptions {
  /** Whose values stand in the table. */
  readonly searches?: readonly SearchRecord[] | undefined;
}

const gap = "  ";
/** Names of rows take at most this share of the width. */
const nameShare = 0.4;
const length = (text: string): number => Array.from(text).length;

interface Column {
  readonly group: string | null;
  readonly name: string;
  readonly cells: readonly string[];
  readonly width: number;
}

function columnsOf({ columns, rows }: DataTable): Column[] {
  return columns.map(({ group, name }, i) => {
    const cells = rows.map((row) => row.cells[i] ?? "");
    return { group, name, cells, width: Math.max(...[name, ...cells].map(length)) };
  });
}

/** Neighbouring columns of one group; a column without group stands alone. */
const groupsOf = (columns: readonly Column[]): Column[][] => [
  ...groupBy(columns, (column) => column.group ?? column).values(),
];

const widthOf = (columns: readonly Column[]): number =>
  columns.reduce((sum, { width }) => sum + width, gap.length * (columns.length - 1));

/** The columns, the last of each group as wide as the group's title asks for within `limit`. */
function widened(columns: readonly Column[], limit: number): Column[] {
  return groupsOf(columns).flatMap((members) => {
    const title = Math.min(length(members[0]?.group ?? ""), limit);
    const missing = Math.max(0, title - widthOf(members));
    return members.map((column, i) => (i === 0 ? { ...column, width: column.width + missing } : column));
  });
}

/** Columns that fit beside one another within `limit`; a group stays whole where it can. */
function pagesOf(columns: readonly Column[], limit: number): Column[][] {
  const fits = (page: readonly Column[]): boolean => widthOf(widened(page, limit)) <= limit;
  const pages: Column[][] = [];
  const put = (part: Column[]): boolean => {
    const last = pages.at(-1);
    if (last && fits([...last, ...part])) return last.push(...part) > 0;
    if (part.length > 1 && !fits(part)) return false;
    return pages.push([...part]) > 0;
  };
  for (const group of groupsOf(columns)) if (!put(group)) for (const column of group) put([column]);
  return pages.map((page) => widened(page, limit));
}

/** The line of group titles, each over its columns; null where there are none. */
function titleLine(page: readonly Column[], indent: number): string | null {
  if (page.every(({ group }) => group === null)) return null;
  const titles = groupsOf(page).map((members) => {
    const width = widthOf(members);
    return shorten(members[0]?.group ?? "", width).padStart(width);
  });
  return ["".padEnd(indent), ...titles].join(gap).trimEnd();
}

function pageLines(
  table: DataTable,
  page: readonly Column[],
  names: readonly string[],
  indent: number,
): string[] {
  const line = (name: string, cells: readonly string[]): string =>
    [
      name.padEnd(indent + name.length - length(name)),
      ...cells.map((cell, i) => cell.padStart(page[i]?.width ?? 0)),
    ]
      .join(gap)
      .trimEnd();
  const head = line(
    table.corner,
    page.map(({ name }) => name),
  );
  const body = names.map((name, row) =>
    line(
      name,
      page.map(({ cells }) => cells[row] ?? ""),
    ),
  );
  return [titleLine(page, indent) ?? "", head, "─".repeat(indent + gap.length + widthOf(page)), ...body];
}

const colorsOf = ({ color }: TerminalOptions): ReturnType<typeof pc.createColors> =>
  pc.createColors(color ?? pc.isColorSupported);

function render(table: DataTable, width: number, options: TerminalOptions): string {
  const colors = colorsOf(options);
  const widest = Math.max(...[table.corner, ...table.rows.map(({ name }) => plain(name))].map(length));
  const indent = Math.min(widest, Math.max(8, Math.floor(width * nameShare)));
  const names = table.rows.map(({ name }) => shorten(name, indent));
  const pages = pagesOf(columnsOf(table), width - indent - gap.length);
  return pages
    .map((page) => {
      const [titles = "", head = "", rule = "", ...body] = pageLines(table, page, names, indent);
      const heads = titles === "" ? [head] : [titles, head];
      return [...heads.map((each) => colors.bold(each)), colors.dim(rule), ...body].join("\n");
    })
    .join("\n\n");
}

/** `text` in lines of at most `width`, all but the first indented. */
function folded(text: string, width: number, indent = ""): string {
  const lines: string[] = [];
  for (const whole of plain(text).split(" ")) {
    const word = shorten(whole, width - indent.length);
    const last = lines.at(-1);
    if (last !== undefined && length(last) + 1 + length(word) <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(lines.length === 0 ? word : indent + word);
  }
  return lines.join("\n");
}

/** The results of a run: methods × (clean, attacks × ε). */
export function terminalTable(results: ResultsFile, width = 80, options: TerminalTableOptions = {}): string {
  const records = results.rows.flatMap(({ robust }) => robust);
  const seeds = [...new Set(results.rows.map(({ seed }) => seed))].sort((a, b) => a - b);
  const labels = [...new Set(records.map((record) => record.labels))].join(" and ");
  const attacked =
    records.length === 0 ? "" : `, ${imagesText(records)}, ${labels} labels, ε in ${runUnit(results)}`;
  const facts = `Accuracy in %: ${results.dataset} test${attacked}; seed ${seedText(seeds, seeds.length)}.`;
  const notes = [
    facts,
    ...(options.searches ?? []).map(searchText),
    ...runNotes(results),
    ...corruptionNotes(results.rows[0] ?? {}),
  ].map((note) => folded(note, width));
  const smoke = results.smoke === undefined ? [] : [smokeText(results.smoke)];
  const found = verdicts(results);
  const summary = found === null ? [] : [folded(found.summary, width)];
  const doubts = doubtLines(runDoubts(results), width, options);
  const table = render(resultsTable(results, { plusMinus: "±" }), width, options);
  const corrupted = methodCorruptionTable(results.rows);
  const more = corrupted === null ? [] : [render(corrupted, width, options)];
  return `${[...smoke.map((text) => colorsOf(options).yellow(folded(text, width))), ...doubts, table, ...summary, ...more, colorsOf(options).dim(notes.join("\n"))].join("\n\n")}\n`;
}

function doubtLines(doubts: readonly Doubt[], width: number, options: TerminalOptions): string[] {
  return doubts.map(({ subject, message, remedy }) => {
    const text = `! ${subject}: ${sentence(message)} Remedy: ${sentence(remedy)}`;
    return colorsOf(options).yellow(folded(text, width, "  "));
  });
}

/** An audit: its doubts, a row for each attack and radius, the verdict, what was not tried. */
export function terminalAudit(audit: AuditFile, width = 80, options: TerminalOptions = {}): string {
  const { model, seed, mode = "eval" } = audit;
  const budget = budgetText(audit);
  const doubts = doubtLines(auditDoubts(audit), width, options);
  const facts = `${aboutText(audit)}; seed ${seed}; mode ${mode}; ε in ${epsilonUnit(audit)}.`;
  const about = model.notes.map((note) => `Note: ${sentence(note)}`);
  const left = `Not tried: ${audit.notTried.join("; ")}.`;
  const notes = [
    facts,
    ...about,
    ...stageNotes(audit.robust, "row"),
    ...singleStepNotes(audit.robust, audit.flags),
    ...corruptionNotes(audit),
    left,
    ...(budget === null ? [] : [budget]),
  ]
    .map((note) => folded(note, width))
    .join("\n");
  const distances = distancesTable(audit);
  const tables = [briefTable(audit), distances, corruptionTable(audit)].filter((table) => table !== null);
  const verdict = auditVerdict(audit).map((line) => folded(line, width));
  const parts = [
    ...doubts,
    ...tables.map((table) => render(table, width, options)),
    verdict.join("\n"),
    colorsOf(options).dim(notes),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** A profile: passes, layers, operators, the longest kernels. */
export function terminalProfile(profile: StepProfile, width = 80, options: TerminalOptions = {}): string {
  const tables = [
    passTable(profile),
    layerTable(profile, 12),
    kindTable(profile, 8),
    kernelTable(profile, 10, { scope: Math.floor(width * nameShare), operator: 9 }),
  ].map((table) => render(table, width, options));
  const notes = profileNotes(profile).map((note) => folded(note, width));
  return `${[...tables, colorsOf(options).dim(notes.join("\n"))].join("\n\n")}\n`;
}
