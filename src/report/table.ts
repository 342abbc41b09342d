// The results as one table: methods × (clean, attacks × ε), seeds brought together as mean and spread.
import { summarize } from "../evaluation/statistics/summary.js";
import { methodName } from "../experiments/names.js";
import type { BudgetRecord, ResultRow, ResultsFile, RobustRecord } from "../experiments/records.js";
import { isSingleStep } from "./strength.js";
import { attackText, normText, optionsText, percent } from "./text.js";

/** One attack with fixed options, over all its radii. */
export interface AttackGroup {
  readonly key: string;
  /** `PGD-20 L∞`, with what else tells it from its neighbours. */
  readonly title: string;
  readonly attack: string;
  /** The suite it was a stage of. */
  readonly suite: string | null;
  readonly norm: string;
  /** Ascending, input units. */
  readonly epsilons: readonly number[];
  /** Its options, and labels and aim where they are not the usual ones. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** Accuracy over the seeds of one method; shares. */
export interface Cell {
  readonly mean: number;
  /** Sample standard deviation over the seeds; null for a single one. */
  readonly spread: number | null;
  /** Images behind each seed's figure; null where the record does not say. */
  readonly n: number | null;
}

export interface MethodRow {
  /** The method's, with its case in front where there are cases. */
  readonly name: string;
  readonly case: string | undefined;
  readonly method: string;
  readonly seeds: readonly number[];
  readonly clean: Cell;
  /** By k, in the table's order; null where it was not counted. */
  readonly top: readonly (Cell | null)[];
  /** By attack group and radius, in the table's order; null where it was not run. */
  readonly robust: readonly (readonly (Cell | null)[])[];
}

export interface Table {
  /** Each k of top-k accuracy on clean images, ascending. */
  readonly tops: readonly number[];
  readonly groups: readonly AttackGroup[];
  readonly rows: readonly MethodRow[];
}

/** Items by key, in order of first appearance (Map.groupBy, which Node 20 lacks). */
export function groupBy<K, T>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

const sorted = (options: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Equal for records that differ in radius and outcome alone. */
const keyOf = ({
  attack,
  suite,
  norm,
  labels,
  targeted,
  options,
}: Omit<RobustRecord, "accuracy" | "n" | "epsilon">): string =>
  JSON.stringify([attack, suite ?? null, norm, labels, targeted ?? false, sorted(options)]);

/** All that can tell two groups of one attack apart. */
const traits = ({ labels, targeted, options }: RobustRecord): Readonly<Record<string, unknown>> => ({
  ...sorted(options),
  ...(targeted === true ? { targeted } : {}),
  ...(labels === "predicted" ? { labels } : {}),
});

function baseTitle({ attack, suite, norm, options }: RobustRecord): string {
  if (attack === "worst-case") return `all of these ${normText(norm)}`;
  if (suite !== undefined) return `${attackText(suite)}: ${attackText(attack)} ${normText(norm)}`;
  const version = options?.["version"];
  const other = typeof version === "string" && version !== "standard" ? ` (${version})` : "";
  const steps = typeof options?.["steps"] === "number" ? `-${options["steps"]}` : "";
  const [own = "", ...from] = attackText(attack).split(" ");
  return [`${own}${other}${steps}`, ...from, normText(norm)].join(" ");
}

/** `baseTitle`, followed by the traits in which groups of the same base title differ. */
function titleOf(record: RobustRecord, all: readonly RobustRecord[]): string {
  const base = baseTitle(record);
  const twins = all.filter((other) => baseTitle(other) === base).map(traits);
  const differing = Object.entries(traits(record)).filter(([name, value]) =>
    twins.some((twin) => JSON.stringify(twin[name]) !== JSON.stringify(value)),
  );
  return differing.length === 0 ? base : `${base} (${optionsText(Object.fromEntries(differing))})`;
}

/** The attacks of some records: those that iterate before single steps, all together last, else in order of first appearance. */
export function attackGroups(records: readonly RobustRecord[]): AttackGroup[] {
  const groups = groupsOf(records);
  const isWeak = ({ attack, suite }: AttackGroup): boolean => suite === null && isSingleStep(attack);
  const isWhole = ({ attack }: AttackGroup): boolean => attack === "worst-case";
  const rank = (group: AttackGroup): number => (isWhole(group) ? 2 : isWeak(group) ? 1 : 0);
  return groups.toSorted((a, b) => rank(a) - rank(b));
}

function groupsOf(records: readonly RobustRecord[]): AttackGroup[] {
  const members = groupBy(records, keyOf);
  const firsts = [...members.values()].flatMap(([first]) => first ?? []);
  return [...members].flatMap(([key, group]) => {
    const [first] = group;
    if (first === undefined) return [];
    const epsilons = [...new Set(group.map(({ epsilon }) => epsilon))].sort((a, b) => a - b);
    const title = titleOf(first, firsts);
    return [
      {
        key,
        title,
        attack: first.attack,
        suite: first.suite ?? null,
        norm: first.norm,
        epsilons,
        options: traits(first),
      },
    ];
  });
}

/** Mean and sample standard deviation. */
export function meanAndSpread(values: readonly number[]): { mean: number; spread: number | null } {
  const { mean, sd } = summarize(values);
  return { mean, spread: sd };
}

/** The records of `group` at `epsilon`. */
export const recordsAt = (
  records: readonly RobustRecord[],
  { key }: AttackGroup,
  epsilon: number,
): RobustRecord[] => records.filter((record) => keyOf(record) === key && record.epsilon === epsilon);

/** What `group` asked of the model at `epsilon`; of attacks that look for the nearest point their one run. */
export const budgetAt = (
  budget: readonly BudgetRecord[],
  { key }: AttackGroup,
  epsilon: number,
): BudgetRecord | undefined =>
  budget.find((each) => keyOf(each) === key && (each.epsilon ?? epsilon) === epsilon);

/** Without the rows of all attacks together that say no more than the strongest one does at the same radius. */
export function withoutRepeats(records: readonly RobustRecord[]): RobustRecord[] {
  const isRepeat = ({ attack, norm, epsilon, accuracy }: RobustRecord): boolean =>
    attack === "worst-case" &&
    records.some(
      (other) =>
        other.attack !== attack &&
        other.suite === undefined &&
        other.norm === norm &&
        other.epsilon === epsilon &&
        other.accuracy === accuracy,
    );
  return records.filter((record) => !isRepeat(record));
}

function robustCell(rows: readonly ResultRow[], group: AttackGroup, epsilon: number): Cell | null {
  const records = rows.flatMap(({ robust }) => recordsAt(robust, group, epsilon).slice(0, 1));
  if (records.length === 0) return null;
  const n = Math.min(...records.map((record) => record.n));
  return { ...meanAndSpread(records.map(({ accuracy }) => accuracy)), n };
}

function topCell(rows: readonly ResultRow[], k: number): Cell | null {
  const values = rows.flatMap(({ top = [] }) => top.find((each) => each.k === k)?.accuracy ?? []);
  return values.length === 0 ? null : { ...meanAndSpread(values), n: imagesOf(rows) };
}

/** The results by method, those of a case together. */
export function tableOf(results: ResultsFile): Table {
  const groups = attackGroups(results.rows.flatMap(({ robust }) => robust));
  const found = results.rows.flatMap(({ top = [] }) => top.map(({ k }) => k));
  const tops = [...new Set(found)].sort((a, b) => a - b);
  const rows = [...groupBy(results.rows, methodName)].map(([name, members]) => ({
    name,
    case: members[0]?.case,
    method: members[0]?.method ?? name,
    seeds: members.map(({ seed }) => seed),
    clean: { ...meanAndSpread(members.map(({ clean }) => clean)), n: imagesOf(members) },
    top: tops.map((k) => topCell(members, k)),
    robust: groups.map((group) => group.epsilons.map((epsilon) => robustCell(members, group, epsilon))),
  }));
  return { tops, groups, rows };
}

/** Images that attacks were run on, where any was: the record of clean accuracy does not say its own. */
function imagesOf(rows: readonly ResultRow[]): number | null {
  const counts = rows.flatMap(({ robust }) => robust.map(({ n }) => n));
  return counts.length === 0 ? null : Math.max(...counts);
}

/** `97.13`, or `97.13 ± 0.12` over seeds; a dash where there is nothing. */
export function cellText(cell: Cell | null, plusMinus = " ± "): string {
  if (cell === null) return "–";
  const n = cell.n ?? Infinity;
  const spread = cell.spread === null ? "" : `${plusMinus}${percent(cell.spread, n)}`;
  return `${percent(cell.mean, n)}${spread}`;
}
