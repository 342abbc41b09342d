// What training took of the processors, method by method, beside another method of the same seed on the same machine.
import { summarize } from "../evaluation/statistics/summary.js";
import type { KeptTrial } from "../experiments/kept-results.js";
import { methodName } from "../experiments/names.js";
import type { DataTable } from "./document.js";
import { duration } from "./text.js";

/** Trials whose processor time is known. */
interface Timed {
  readonly name: string;
  readonly of: string | undefined;
  readonly seed: number;
  readonly processor: number;
  readonly epochs: number;
  readonly machine: string;
}

const timed = (kept: readonly KeptTrial[]): Timed[] =>
  kept.flatMap(({ row, seconds: { processor }, environment: { training } }) => {
    if (processor === null || training === null) return [];
    const { platform, processor: kind, provider, threads } = training;
    const machine = [platform, kind, provider, threads].join();
    const { case: of, seed, epochs } = row;
    return [{ name: methodName(row), of, seed, processor, epochs, machine }];
  });

function meanRatio(trials: readonly Timed[], name: string, control: string): number | null {
  const ratios = trials.flatMap((own) => {
    const other = trials.find(
      (each) => each.name === control && each.seed === own.seed && each.machine === own.machine,
    );
    return own.name === name && other ? [own.processor / other.processor] : [];
  });
  return ratios.length === 0 ? null : summarize(ratios).mean;
}

/**
 * Processor time of the training of `name` as a multiple of that of `control`, mean over the seeds that both were trained
 * with on one machine; null where there is none. Names as `methodName` has them.
 */
export const costRatio = (kept: readonly KeptTrial[], name: string, control: string): number | null =>
  meanRatio(timed(kept), name, control);

/** `1.30×`; a dash where nothing is known. */
export const timesText = (ratio: number | null): string => (ratio === null ? "–" : `${ratio.toFixed(2)}×`);

/** What training took of the processors by method, and how often that of its case's first method; null for a single method. */
export function costTable(kept: readonly KeptTrial[]): DataTable | null {
  const known = timed(kept);
  const firsts = new Map(
    known.map(({ of, name }) => [name, known.find((other) => other.of === of)?.name ?? name]),
  );
  if (firsts.size < 2) return null;
  return {
    caption:
      "What training took of the processors, mean over the seeds for which it is recorded; beside the first method by pairs of one seed and one machine",
    corner: "method",
    columns: ["processor time", "times the first method's", "epochs", "seeds"].map((name) => ({
      group: null,
      name,
    })),
    rows: [...firsts].map(([name, first]) => {
      const own = known.filter((each) => each.name === name);
      const epochs = own.map((each) => each.epochs);
      const [least, most] = [Math.min(...epochs), Math.max(...epochs)];
      return {
        name,
        cells: [
          duration(summarize(own.map(({ processor }) => processor)).mean),
          timesText(meanRatio(known, name, first)),
          least === most ? String(least) : `${least} to ${most}`,
          String(own.length),
        ],
      };
    }),
  };
}
