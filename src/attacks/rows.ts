// Rows of batches on the host: taken, put back, run through a program, and never one alone.
import { count } from "../base/shape.js";
import { fromNumbers, scalar, tensor, type Tensor } from "../base/tensor.js";
import { nextName } from "../onnx/export.js";
import type { Program, Tensors } from "../runtime/engine.js";
import type { CountedPasses } from "./passes.js";

/** 0 … n − 1. */
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** One row doubled: products of one row differ in their last bits from those of two and more. */
const atLeastTwo = (rows: readonly number[]): readonly number[] =>
  rows.length === 1 ? [...rows, ...rows] : rows;

type RowData = Float32Array | Int32Array | Uint8Array;

/** Rows of `width` numbers at `rows`, copied. */
export function takeRows<T extends RowData>(values: T, width: number, rows: readonly number[]): T {
  // A constructor found through a value has lost the value's type.
  const out = new (values.constructor as new (length: number) => T)(rows.length * width);
  rows.forEach((row, i) => out.set(values.subarray(row * width, (row + 1) * width), i * width));
  return out;
}

/** Writes the rows of `from` to `into` at `rows`; what `from` has more is left out. */
export function putRows(into: RowData, width: number, rows: readonly number[], from: RowData): void {
  rows.forEach((row, i) => into.set(from.subarray(i * width, (i + 1) * width), row * width));
}

function rowData({ data, dtype }: Tensor): RowData {
  if (data instanceof BigInt64Array) throw new Error(`rows of ${dtype}`);
  return data;
}

/** The tensor [n, …] at `rows`, copied. */
function rowsOf(value: Tensor, rows: readonly number[]): Tensor {
  const [, ...rest] = value.shape;
  return tensor(value.dtype, [rows.length, ...rest], takeRows(rowData(value), count(rest), rows));
}

/** What a program is fed when it runs on some rows of a batch. */
export interface RowFeeds {
  /** [n, …] each: a loop's states. They come back as `NAME.next` and are changed in place, at the rows run. */
  readonly states?: Tensors;
  /** [n, …] each. */
  readonly perRow?: Tensors;
  /** Scalars that all rows share. */
  readonly scalars?: Readonly<Record<string, number>>;
  /** [iterations, rows, …] each, made for the rows that run (one alone runs twice); taken over. */
  readonly scanned?: Tensors;
  /** How often a loop's body runs; left out for plain functions. */
  readonly iterations?: number;
  /** What an iteration asks of the model for each row, and where that is counted; left out where it asks nothing. */
  readonly passes?: CountedPasses;
}

/**
 * Runs `program` on `rows` of the tensors in `feeds`. Returns the outputs that are no states, as the program gave
 * them: where one row ran, it ran twice and stands there twice.
 */
export async function runRows(
  program: Program,
  rows: readonly number[],
  { states = {}, perRow = {}, scalars = {}, scanned = {}, iterations, passes }: RowFeeds,
): Promise<Tensors> {
  const taken = atLeastTwo(rows);
  passes?.counts?.add(rows, passes.each, iterations ?? 1);
  const byRow = Object.entries({ ...states, ...perRow }).map(
    ([name, value]) => [name, rowsOf(value, taken)] as const,
  );
  const shared = Object.entries(scalars).map(([name, value]) => [name, scalar(value)] as const);
  const outputs = await program.run({
    ...Object.fromEntries([...byRow, ...shared]),
    ...scanned,
    ...program.supplied?.(taken, iterations),
    ...(iterations !== undefined && { iterations: fromNumbers("int64", [], [iterations]) }),
  });
  const names = new Map(Object.keys(states).map((name) => [nextName(name), name]));
  for (const [output, name] of names) {
    const [state, value] = [states[name], outputs[output]];
    if (!state || !value) throw new Error(`no output '${output}'`);
    putRows(rowData(state), count(state.shape.slice(1)), rows, rowData(value));
  }
  return Object.fromEntries(Object.entries(outputs).filter(([name]) => !names.has(name)));
}

/** The output called `name`. */
export function outputNamed(outputs: Tensors, name: string): Tensor {
  const found = outputs[name];
  if (found === undefined) throw new Error(`no output '${name}'`);
  return found;
}
