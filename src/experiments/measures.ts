// What papers print of a trained network, and where a trial's row has it; all in per cent.
import { z } from "zod";
import { isTransfer } from "../attacks/transfer.js";
import type { NormName } from "../threat/find.js";
import type { ResultRow, RobustRecord } from "./records.js";

/** What is read off a row: a measure – clean, among the k likeliest classes, under a corruption, or under an attack at a radius. */
export interface Reading {
  readonly measure: MeasureName;
  /** An image is read rightly where its label is among so many of the highest outputs; default 1. */
  readonly top?: number | undefined;
  /** A corruption, or `common` or `disturbances`: the mean over all of these. */
  readonly corruption?: string | undefined;
  /** Of the corruption; the mean over all that were run without one. */
  readonly severity?: number | undefined;
  /** Clean without one. */
  readonly attack?: string | undefined;
  readonly norm?: NormName | undefined;
  /** Radius, input units. */
  readonly epsilon?: number | undefined;
  /** Name of the model that the points were crafted on, where it is not the one that reads them. */
  readonly from?: string | undefined;
  /** Options that tell the attack from others of its name. */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
}

/** What one method is beside another, by some measure. */
export type Comparative = "better" | "worse" | "sparser" | "denser";

interface Measure {
  readonly title: string;
  /** What a method with more of it is, and what one with less. */
  readonly comparatives: readonly [more: Comparative, less: Comparative];
  /** Whether it counts images, so that it can be had under an attack, a corruption, among the k likeliest classes. */
  readonly countsImages: boolean;
  /** In %, null where the row does not have it. */
  of(row: ResultRow, reading: Reading): number | null;
}

/** The attack's name, and the model it was crafted on where that is another one. */
function craftedBy({ attack, options = {} }: RobustRecord): readonly unknown[] {
  return isTransfer(attack) ? [options["attack"], options["from"]] : [attack, undefined];
}

/** Whether `record` is of the reading's attack at its radius. */
function isOf(
  record: RobustRecord,
  { attack, norm = "linf", epsilon = NaN, from, options = {} }: Reading,
): boolean {
  const { options: own = {} } = record;
  const [name, source] = craftedBy(record);
  return (
    name === attack &&
    source === from &&
    record.suite === undefined &&
    record.norm === norm &&
    Math.abs(record.epsilon - epsilon) < 1e-9 &&
    Object.entries(options).every(([name, value]) => JSON.stringify(own[name]) === JSON.stringify(value))
  );
}

/** Where in the row's robust records the reading's attack is; −1 where it was not run. */
const attackIndex = (row: ResultRow, reading: Reading): number =>
  row.robust.findIndex((record) => isOf(record, reading));

/** Share read rightly. */
function accuracyOf(row: ResultRow, reading: Reading): number | null {
  const { top, corruption, severity } = reading;
  if (top !== undefined) return row.top?.find(({ k }) => k === top)?.accuracy ?? null;
  if (corruption !== undefined && severity === undefined)
    return row.corruptionMeans?.find(({ over }) => over === corruption)?.accuracy ?? null;
  if (corruption !== undefined) {
    const isMeant = (each: { readonly name: string; readonly severity: number }): boolean =>
      each.name === corruption && each.severity === severity;
    return row.corruptions?.find(isMeant)?.accuracy ?? null;
  }
  if (reading.attack === undefined) return row.clean;
  return row.robust[attackIndex(row, reading)]?.accuracy ?? null;
}

const inPercent = (share: number | null): number | null => (share === null ? null : 100 * share);

export const measures = {
  accuracy: {
    title: "accuracy",
    comparatives: ["better", "worse"],
    countsImages: true,
    of: (row, reading) => inPercent(accuracyOf(row, reading)),
  },
  testError: {
    title: "test error",
    comparatives: ["worse", "better"],
    countsImages: true,
    of: (row, reading) => {
      const accuracy = accuracyOf(row, reading);
      return accuracy === null ? null : 100 * (1 - accuracy);
    },
  },
  meanTestErrorOfLast: {
    title: "test error, mean of the last epochs",
    comparatives: ["worse", "better"],
    countsImages: false,
    of: (row) => inPercent(row.meanOfLast?.testError ?? null),
  },
  hiddenZeros: {
    title: "hidden activations that are exactly zero",
    // Papers that print it are after it, but it makes no classifier better.
    comparatives: ["sparser", "denser"],
    countsImages: false,
    of: (row) => inPercent(row.activations?.all?.zeros ?? null),
  },
} as const satisfies Record<string, Measure>;

export type MeasureName = keyof typeof measures;

export const measureOf = (name: MeasureName): Measure => measures[name];

export const measureName = z.enum(Object.keys(measures) as [MeasureName, ...MeasureName[]]);

/** What `row` reads, in %; null where the row does not have it. */
export const read = (row: ResultRow, reading: Reading): number | null =>
  measureOf(reading.measure).of(row, reading);
