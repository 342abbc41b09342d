// Two models on the same images: a method's against its control's of the same seed, clean and under each attack.
import { holm } from "../../evaluation/statistics/holm.js";
import { mcNemar, type McNemarTest } from "../../evaluation/statistics/mcnemar.js";
import { correctImages, type CorrectFile } from "../correctness.js";
import { trialName } from "../names.js";
import type { ResultRow, RobustRecord } from "../records.js";

/** Those of `rows` whose images are known. */
export const imageRows = (
  rows: readonly ResultRow[],
  correct: Readonly<Record<string, CorrectFile>>,
): ImageRow[] =>
  rows.flatMap((row) => {
    const trial = trialName(row);
    const file = correct[trial];
    return file === undefined ? [] : [{ trial, row, correct: file }];
  });

/** A trial's row with what is known of its images. */
export interface ImageRow {
  readonly trial: string;
  readonly row: ResultRow;
  readonly correct: CorrectFile;
}

/** One method's model against the control's of the same seed. */
export interface ImageComparison {
  readonly case: string | undefined;
  readonly method: string;
  readonly control: string;
  readonly seed: number;
  /** The method's record under the attack; null for clean images. */
  readonly record: RobustRecord | null;
  /** First the method's model, then the control's. */
  readonly test: McNemarTest;
  /** p after Holm's correction over all comparisons. */
  readonly corrected: number;
}

/** The same for records that differ in the outcome alone. */
const keyOf = ({ accuracy: _, n: __, ...attack }: RobustRecord): string => JSON.stringify(attack);

function testsOf(own: ImageRow, other: ImageRow): Pick<ImageComparison, "record" | "test">[] {
  const bits = ({ trial, correct }: ImageRow, at?: number): Uint8Array =>
    correctImages(`${trial}: correct.json`, correct, at);
  const attacked = own.row.robust.flatMap((record, i) => {
    // What a stage of a suite leaves is what the suite leaves less the images of later stages: no test of its own.
    if (record.suite !== undefined) return [];
    const at = other.row.robust.findIndex((each) => keyOf(each) === keyOf(record));
    return at < 0 ? [] : [{ record, test: mcNemar(bits(own, i), bits(other, at)) }];
  });
  return [{ record: null, test: mcNemar(bits(own), bits(other)) }, ...attacked];
}

/**
 * McNemar's exact test for each method and seed against the model of `control` with the same seed in the same case, on
 * clean images and under every attack that both met – a suite as a whole, not its stages –, with Holm's correction over all of them.
 */
export function imageComparisons(rows: readonly ImageRow[], control: string): ImageComparison[] {
  const tests = rows.flatMap((own) => {
    const { case: of, method, seed } = own.row;
    const other = rows.find(({ row }) => row.method === control && row.case === of && row.seed === seed);
    if (method === control || other?.correct.n !== own.correct.n) return [];
    return testsOf(own, other).map((found) => ({ case: of, method, control, seed, ...found }));
  });
  const corrected = holm(tests.map(({ test }) => test.p));
  return tests.map((each, i) => ({ ...each, corrected: corrected[i] ?? 1 }));
}
