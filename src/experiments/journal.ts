// An evaluation's journal on the disk: one line a batch, so that one that was killed goes on where it was.
import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { z } from "zod";
import { appendTo, writeWhole } from "../data/disk.js";
import type { Journal, JournalEntry } from "../evaluation/journal.js";
import { onnxruntimeVersion, temperVersion } from "./environment.js";

const line = z.strictObject({
  strike: z.string(),
  indices: z.array(z.int()),
  classes: z.array(z.int()),
  distances: z.array(z.number().nullable()).optional(),
  outside: z.int(),
  nonFinite: z.int(),
  rounding: z.strictObject({ checked: z.int(), lost: z.int() }),
  carriedOn: z.strictObject({ checked: z.int(), fallen: z.int() }).optional(),
  passes: z.strictObject({ forward: z.array(z.int()), gradient: z.array(z.int()) }).optional(),
  milliseconds: z.number(),
  points: z.base64().optional(),
  worst: z.array(z.strictObject({ index: z.int(), score: z.number(), point: z.base64() })).optional(),
});
type Line = z.output<typeof line>;

const header = z.strictObject({
  schema: z.literal(2),
  kind: z.literal("temper-journal"),
  identity: z.string(),
});

const toBase64 = ({ buffer, byteOffset, byteLength }: Float32Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString("base64");

const fromBase64 = (text: string): Float32Array =>
  new Float32Array(Uint8Array.from(Buffer.from(text, "base64")).buffer);

function toLine(strike: string, { points, distances, passes, worst, ...entry }: JournalEntry): Line {
  return {
    strike,
    ...entry,
    indices: [...entry.indices],
    classes: [...entry.classes],
    ...(passes && { passes: { forward: [...passes.forward], gradient: [...passes.gradient] } }),
    ...(distances && { distances: distances.map((d) => (Number.isFinite(d) ? d : null)) }),
    ...(points && { points: toBase64(points) }),
    ...(worst && { worst: worst.map(({ point, ...each }) => ({ ...each, point: toBase64(point) })) }),
  };
}

function fromLine({
  points,
  distances,
  carriedOn,
  passes,
  worst,
  ...entry
}: Omit<Line, "strike">): JournalEntry {
  return {
    ...entry,
    ...(carriedOn && { carriedOn }),
    ...(passes && { passes }),
    ...(distances && { distances: distances.map((d) => d ?? Infinity) }),
    ...(points !== undefined && { points: fromBase64(points) }),
    ...(worst && { worst: worst.map(({ point, ...each }) => ({ ...each, point: fromBase64(point) })) }),
  };
}

/** The lines that are whole; a kill may have cut the last one off. */
function parseLines(text: string): unknown[] {
  return text.split("\n").flatMap((each) => {
    try {
      return [JSON.parse(each) as unknown];
    } catch {
      return [];
    }
  });
}

/** What decides every line of a journal, as a hash; versions of Temper and ONNX Runtime are added. */
export const journalIdentity = (decides: unknown): string =>
  createHash("sha256")
    .update(JSON.stringify([temperVersion(), onnxruntimeVersion(), decides]))
    .digest("hex");

/** What a journal holds of one attack at one radius. */
export interface StrikeProgress {
  readonly strike: string;
  /** Images that are behind it. */
  readonly images: number;
  readonly milliseconds: number;
}

/** What the journal at `path` holds, in the order of the evaluation; nothing where there is none. */
export async function journalProgress(path: string): Promise<StrikeProgress[]> {
  const strikes = new Map<string, StrikeProgress>();
  for (const each of parseLines(await readFile(path, "utf8").catch(() => ""))) {
    const batch = line.safeParse(each).data;
    if (batch === undefined) continue;
    const { strike, indices } = batch;
    const { images = 0, milliseconds = 0 } = strikes.get(strike) ?? {};
    strikes.set(strike, {
      strike,
      images: images + indices.length,
      milliseconds: milliseconds + batch.milliseconds,
    });
  }
  return [...strikes.values()];
}

export interface JournalFile extends Journal {
  /** Batches that were known when it was opened, and how long they took. */
  readonly known: { readonly batches: number; readonly milliseconds: number };
  /** Removes the file: the evaluation is done. */
  remove(): Promise<void>;
}

/** The journal at `path` if it is of this `identity`, else a new one in its place. */
export async function openJournal(path: string, identity: string): Promise<JournalFile> {
  const [first, ...rest] = parseLines(await readFile(path, "utf8").catch(() => ""));
  const own = header.safeParse(first);
  const kept = own.data?.identity === identity ? rest : [];
  const lines = kept.flatMap((each) => line.safeParse(each).data ?? []);
  const head = { schema: 2, kind: "temper-journal", identity };
  await writeWhole(path, [head, ...lines].map((each) => `${JSON.stringify(each)}\n`).join(""));
  const entries = new Map<string, JournalEntry[]>();
  for (const { strike, ...entry } of lines)
    entries.set(strike, [...(entries.get(strike) ?? []), fromLine(entry)]);
  return {
    known: {
      batches: lines.length,
      milliseconds: lines.reduce((total, { milliseconds }) => total + milliseconds, 0),
    },
    read: (strike) => entries.get(strike) ?? [],
    write: (strike, entry) => appendTo(path, `${JSON.stringify(toLine(strike, entry))}\n`),
    remove: () => rm(path, { force: true }),
  };
}
