// Methods against their control, seed by seed: runs of one seed share weights, batches and noise.
import { holm } from "../../evaluation/statistics/holm.js";
import { median, summarize } from "../../evaluation/statistics/summary.js";
import { differences, wilcoxonSignedRank, type WilcoxonTest } from "../../evaluation/statistics/wilcoxon.js";
import { measureOf, read, type Comparative, type Reading } from "../measures.js";
import type { Place, PublishedTable } from "../published.js";
import type { ResultRow } from "../records.js";
import { rowsOf } from "./beside.js";

/** Pairs below which no verdict is given: five cannot bring a two-sided p below 0.0625. */
export const leastPairs = 6;

/** One method against the control at one place, over the seeds of both. */
export interface PairedComparison {
  readonly place: Place;
  readonly method: string;
  readonly control: string;
  /** Mean of method less control, in percentage points. */
  readonly difference: number;
  readonly test: WilcoxonTest;
  /** p after Holm's correction over the table. */
  readonly corrected: number;
  /** The least that `corrected` could have been with so many pairs and tests. */
  readonly least: number;
  /** At 5 % after the correction, from six pairs on; null with fewer, and where `least` is above 5 %. */
  readonly verdict: Comparative | "no difference shown" | null;
}

/** One method against the control over all places of a table: a pair for each. */
export interface PooledComparison {
  readonly method: string;
  readonly control: string;
  /** Whose figures: the printed ones, or the medians over the seeds. */
  readonly of: "printed" | "measured";
  /** Two-sided. */
  readonly test: WilcoxonTest;
  /** That the method is better. */
  readonly oneSided: WilcoxonTest;
}

/** What the other methods of a table are held against: the one it names, or `standard`. */
export function controlOf(
  { control }: Pick<PublishedTable, "control">,
  methods: readonly string[],
): string | null {
  const name = control ?? "standard";
  return methods.includes(name) ? name : null;
}

const placeOf = ({ case: of, measure, ...place }: Place): Place => {
  const { top, corruption, severity, attack, norm, epsilon, from, options } = place;
  return {
    case: of,
    ...{ measure, top, corruption, severity, attack, norm, epsilon, from, options },
  };
};

const placeKey = (cell: Place): string => JSON.stringify(placeOf(cell));

/** What is compared: the cells of a published table, or places that nobody printed. */
type Places = Pick<PublishedTable, "control"> & { readonly cells: readonly Place[] };

/** The places of a table, each once. */
function placesOf({ cells }: Places): Place[] {
  const found = new Map(cells.map((cell) => [placeKey(cell), placeOf(cell)]));
  return [...found.values()];
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

/** Seeds that both methods have at a place, with their readings in %. */
function pairsAt(
  rows: readonly ResultRow[],
  place: Place,
  [method, control]: readonly [string, string],
): { method: number[]; control: number[] } {
  const beside = new Map(
    rowsOf(rows, { case: place.case, method: control }).map((row) => [row.seed, read(row, place)]),
  );
  const pairs = rowsOf(rows, { case: place.case, method }).flatMap((row) => {
    const [own, other] = [read(row, place), beside.get(row.seed) ?? null];
    return own === null || other === null ? [] : [[own, other] as const];
  });
  return { method: pairs.map(([own]) => own), control: pairs.map(([, other]) => other) };
}

/** 1 where the method with more is the better one, −1 where it is the worse one, 0 where it is neither. */
function sign({ measure }: Reading): -1 | 0 | 1 {
  const [more] = measureOf(measure).comparatives;
  return more === "better" ? 1 : more === "worse" ? -1 : 0;
}

function verdictOf(
  difference: number,
  { measure }: Reading,
  pairs: number,
  { corrected, least }: Pick<PairedComparison, "corrected" | "least">,
): PairedComparison["verdict"] {
  if (pairs < leastPairs || (corrected > 0.05 && least > 0.05)) return null;
  if (corrected > 0.05) return "no difference shown";
  const [more, less] = measureOf(measure).comparatives;
  return difference > 0 ? more : less;
}

/** Every method against the table's control at every place, two-sided, with Holm's correction over all of them. */
export function pairedComparisons(rows: readonly ResultRow[], table: Places): PairedComparison[] {
  const tests = placesOf(table).flatMap((place) => {
    const methods = unique(rows.filter((row) => row.case === place.case).map(({ method }) => method));
    const control = controlOf(table, methods);
    if (control === null) return [];
    return methods.flatMap((method) => {
      const pairs = pairsAt(rows, place, [method, control]);
      if (method === control || pairs.method.length === 0) return [];
      const test = wilcoxonSignedRank(differences(pairs.method, pairs.control));
      const difference = summarize(differences(pairs.method, pairs.control)).mean;
      return [{ place, method, control, difference, test }];
    });
  });
  const corrected = holm(tests.map(({ test }) => test.p));
  return tests.map((each, i) => {
    const p = corrected[i] ?? 1;
    const side = each.test.positive - each.test.negative;
    const pairs = each.test.pairs + each.test.zeros;
    const bounds = { corrected: p, least: Math.min(1, 2 ** (1 - pairs) * tests.length) };
    return { ...each, ...bounds, verdict: verdictOf(side, each.place, pairs, bounds) };
  });
}

/** Figures of a method and of its control at the same places; more is better. */
interface Figures {
  readonly method: readonly number[];
  readonly control: readonly number[];
}

function pooled(
  { method, control }: Figures,
  about: Omit<PooledComparison, "test" | "oneSided">,
): PooledComparison[] {
  if (method.length < 2) return [];
  const gains = differences(method, control);
  const oneSided = wilcoxonSignedRank(gains, { alternative: "greater" });
  return [{ ...about, test: wilcoxonSignedRank(gains), oneSided }];
}

const figures = (pairs: readonly (readonly [number, number])[]): Figures => ({
  method: pairs.map(([own]) => own),
  control: pairs.map(([, other]) => other),
});

function printedFigures({ cells }: PublishedTable, method: string, control: string): Figures {
  const beside = new Map(
    cells.filter((cell) => cell.method === control).map((cell) => [placeKey(cell), cell.value]),
  );
  return figures(
    cells.flatMap((cell) => {
      const other = cell.method === method && sign(cell) !== 0 ? beside.get(placeKey(cell)) : undefined;
      return other === undefined ? [] : [[sign(cell) * cell.value, sign(cell) * other] as const];
    }),
  );
}

function measuredFigures(
  rows: readonly ResultRow[],
  table: PublishedTable,
  pair: readonly [string, string],
): Figures {
  return figures(
    placesOf(table).flatMap((place) => {
      const { method, control } = pairsAt(rows, place, pair);
      if (method.length === 0 || sign(place) === 0) return [];
      return [[sign(place) * median(method), sign(place) * median(control)] as const];
    }),
  );
}

/**
 * Every method against the control with all places of the table in one test, a pair for each: as Mosca & Magoulas (2018)
 * did, for the printed figures and for the medians over the seeds. Places share networks and test images, so the pairs
 * are not independent, and p is smaller than it should be. Places whose measure makes no method better are left out.
 */
export function pooledComparisons(rows: readonly ResultRow[], table: PublishedTable): PooledComparison[] {
  const methods = unique([...table.cells, ...rows].map(({ method }) => method));
  const control = controlOf(table, methods);
  if (control === null) return [];
  return methods
    .filter((method) => method !== control)
    .flatMap((method) => [
      ...pooled(printedFigures(table, method, control), { method, control, of: "printed" }),
      ...pooled(measuredFigures(rows, table, [method, control]), { method, control, of: "measured" }),
    ]);
}
