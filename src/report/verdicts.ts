// What holds: each method under the strongest attack run on it, where one that tries often on the model itself is among them.
import { wilsonInterval } from "../evaluation/statistics/wilson.js";
import type { ResultRow, ResultsFile } from "../experiments/records.js";
import { methodName } from "../experiments/names.js";
import type { Fact } from "./document.js";
import { isTelling, weakKinds } from "./strength.js";
import { groupBy, tableOf, type Cell, type MethodRow, type Table } from "./table.js";
import { epsilonText, normText, plural } from "./text.js";

/** What the strongest attack run on a method leaves standing at one radius. */
interface Finding {
  readonly norm: string;
  readonly epsilon: number;
  /** The attack's. */
  readonly title: string;
  readonly left: Cell;
}

/** One method in one norm. */
interface Verdict extends Pick<MethodRow, "name" | "case" | "method"> {
  readonly clean: Cell;
  /** At the largest radius up to which the method holds. */
  readonly held: Finding | null;
  /** At the smallest radius at which it does not. */
  readonly fell: Finding | null;
}

const control = "standard";

const rule =
  "A method holds where at least half of its clean accuracy survives the strongest attack run; stronger attacks may lower it.";

const guessing =
  "guesses: no more clean images are read rightly than by chance or by one answer for all, which withstand anything.";

/** Where no attack on `rows` was a telling one. */
const unsaidOf = (rows: readonly ResultRow[]): string => {
  const records = rows.flatMap(({ robust }) => robust).filter(({ epsilon }) => epsilon > 0);
  return `Nothing can be said of what holds: only ${weakKinds(records.map(({ attack }) => attack))} were tried.`;
};

/** What the brackets are, and the ±. */
function spreadText(verdicts: readonly Verdict[]): string {
  const isSingle = ({ clean }: Verdict): boolean => clean.spread === null;
  const brackets =
    " In brackets: 95 % interval (Wilson) for the images drawn; one seed says nothing about how trainings differ.";
  return `${verdicts.some(isSingle) ? brackets : ""}${verdicts.every(isSingle) ? "" : " After ±: standard deviation over seeds."}`;
}

/** By norm and radius, ascending; radii at which no telling attack was tried are left out, and stages of suites. */
function findingsOf({ groups }: Table, { robust }: MethodRow): Finding[] {
  const all = groups.flatMap(({ attack, suite, norm, title, epsilons }, g) =>
    epsilons.flatMap((epsilon, i) => {
      const left = robust[g]?.[i] ?? null;
      return left === null || epsilon === 0 || suite !== null ? [] : [{ attack, norm, title, epsilon, left }];
    }),
  );
  return [...groupBy(all, ({ norm, epsilon }) => `${norm} ${epsilon}`).values()]
    .filter((rivals) => rivals.some(({ attack }) => isTelling(attack)))
    .map((rivals) => rivals.reduce((a, b) => (b.left.mean < a.left.mean ? b : a)))
    .sort((a, b) => a.epsilon - b.epsilon);
}

const holds = (clean: Cell, { left }: Finding): boolean => left.mean > 0 && left.mean >= clean.mean / 2;

function verdictsOf({ name, case: of, method, clean }: MethodRow, findings: readonly Finding[]): Verdict[] {
  return [...groupBy(findings, ({ norm }) => norm).values()].map((radii) => {
    const lost = radii.findIndex((finding) => !holds(clean, finding));
    const held = lost === -1 ? radii.at(-1) : radii[lost - 1];
    return { name, case: of, method, clean, held: held ?? null, fell: radii[lost] ?? null };
  });
}

const share = (value: number): string => (100 * value).toFixed(1);

/** `15.6 % (14.9–16.4 %) of 10,000 images`, or mean ± spread where there are several seeds. */
function leftText({ mean, spread, n }: Cell): string {
  const images = n === null ? "" : ` of ${plural(n, "image")}`;
  if (spread !== null) return `${share(mean)} ± ${share(spread)} %${images}`;
  if (n === null) return `${share(mean)} %`;
  const [low, high] = wilsonInterval(Math.round(mean * n), n);
  return `${share(mean)} % (${share(low)}–${share(high)} %)${images}`;
}

const place = ({ norm, epsilon }: Finding): string => `${norm} ${epsilon}`;

function findingText(
  words: string,
  finding: Finding,
  { case: of, method, clean }: Verdict,
  controls: Controls,
): string {
  const name = methodName({ case: of, method: control });
  const beside = method === control ? undefined : controls.get(name)?.get(place(finding));
  const against = beside ? `; the control (${name}) ${share(beside.left.mean)} %` : "";
  return `${words} ε ${epsilonText(finding.epsilon)} – ${finding.title} leaves ${leftText(finding.left)}, clean ${share(clean.mean)} %${against}`;
}

/** Findings by method and place. */
type Controls = ReadonlyMap<string, ReadonlyMap<string, Finding>>;

function verdictText(verdict: Verdict, controls: Controls): string {
  const { held, fell } = verdict;
  return [
    ...(held ? [findingText("holds up to", held, verdict, controls)] : []),
    ...(fell ? [findingText("does not hold at", fell, verdict, controls)] : []),
  ].join("; ");
}

const doubtText = (names: readonly string[]): string =>
  names.length === 0 ? "" : ` In doubt: ${[...new Set(names)].join(", ")}.`;

const wasAttacked = ({ rows }: ResultsFile): boolean =>
  rows.some(({ robust }) => robust.some(({ epsilon }) => epsilon > 0));

export interface Verdicts {
  /** For each method, what holds and what does not. */
  readonly facts: readonly Fact[];
  /** What holding means, and the brackets. */
  readonly rule: string;
  /** The same in one paragraph of few words, with the rule. */
  readonly summary: string;
}

/** What can be said of the methods; null where nothing was attacked, and of smoke runs. */
export function verdicts(results: ResultsFile): Verdicts | null {
  if (!wasAttacked(results) || results.smoke !== undefined) return null;
  const table = tableOf(results);
  const findings = new Map(table.rows.map((row) => [row.name, findingsOf(table, row)]));
  const controls: Controls = new Map(
    [...findings].map(([name, found]) => [name, new Map(found.map((each) => [place(each), each]))]),
  );
  const all = table.rows.map((row) => {
    const own = results.rows.filter((result) => methodName(result) === row.name);
    const flags = own.map(({ flags = [] }) => flags.map(({ name }) => name));
    const guesses = flags.every((names) => names.includes("at-chance"));
    const found = guesses ? [] : verdictsOf(row, findings.get(row.name) ?? []);
    return { row, own, found, guesses, flags: flags.flat() };
  });
  const facts = all.map(({ row, own, found, guesses, flags }): Fact => {
    if (findings.get(row.name)?.length === 0) return [row.name, unsaidOf(own)];
    if (guesses) return [row.name, guessing];
    const text = found.map((verdict) => verdictText(verdict, controls)).join("; ");
    return [row.name, `${text}.${doubtText(flags)}`];
  });
  const found = all.flatMap((each) => each.found);
  const lost = all.flatMap(({ row: { name }, guesses }) => (guesses ? [name] : []));
  if ([...findings.values()].every(({ length }) => length === 0)) {
    const unsaid = unsaidOf(results.rows);
    return { facts: [], rule: unsaid, summary: unsaid };
  }
  return { facts, rule: `${rule}${spreadText(found)}`, summary: `${summaryOf(found, lost)} ${rule}` };
}

/** Methods that share a radius stand together. */
function listText(verdicts: readonly Verdict[], key: "held" | "fell"): string {
  const placed = verdicts.flatMap((verdict) => {
    const finding = verdict[key];
    return finding ? [{ name: verdict.name, finding }] : [];
  });
  const groups = [...groupBy(placed, ({ finding }) => place(finding)).values()];
  return groups
    .flatMap((members) =>
      members.slice(0, 1).map(({ finding: { norm, epsilon } }) => {
        const where = `${key === "held" ? "up to" : "at"} ${normText(norm)} ε ${epsilonText(epsilon)}`;
        return `${members.map(({ name }) => name).join(", ")} (${where})`;
      }),
    )
    .join("; ");
}

function summaryOf(verdicts: readonly Verdict[], guessing: readonly string[]): string {
  const [held, fell] = [listText(verdicts, "held"), listText(verdicts, "fell")];
  const guesses = guessing.length === 0 ? "" : ` No better than guessing: ${guessing.join(", ")}.`;
  return `Holds: ${held || "none"}.${fell === "" ? "" : ` Does not hold: ${fell}.`}${guesses}`;
}
