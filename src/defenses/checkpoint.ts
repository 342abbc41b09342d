// Checkpoints: one tensor file written atomically, and blocks of the moving inputs named by their content.
import { createHash } from "node:crypto";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { check, fail, TemperError } from "../base/errors.js";
import { makeFolder, writeWhole } from "../data/disk.js";
import { decodeTensors, encodeTensors } from "../base/safetensors.js";
import type { Tensors } from "../runtime/engine.js";
import type { EpochRecord, TrainingState } from "./training-state.js";

const fileName = "state.safetensors";
const blockBytes = 16 * 2 ** 20;
/** In front of the names of the best epoch's weights. */
const bestPrefix = "best-epoch:";
const blockPattern = /^inputs-[0-9a-f]{32}\.bin$/;

interface Position {
  readonly epoch: number;
  readonly batches: number;
  readonly history: readonly EpochRecord[];
  readonly sums: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly blocks: readonly string[];
  readonly storedLength: number;
  /** The epoch of the best weights, where they are kept. */
  readonly bestEpoch?: number;
}

const blockName = (bytes: Uint8Array): string =>
  `inputs-${createHash("sha256").update(bytes).digest("hex").slice(0, 32)}.bin`;

/** Writes the blocks of `stored` that are not there yet; returns the names of all of them, in order. */
async function writeBlocks(folder: string, stored: Float32Array | null): Promise<string[]> {
  if (stored === null) return [];
  const bytes = new Uint8Array(stored.buffer as ArrayBuffer, stored.byteOffset, stored.byteLength);
  const there = new Set(await readdir(folder));
  const names: string[] = [];
  for (let start = 0; start < bytes.length; start += blockBytes) {
    const block = bytes.subarray(start, start + blockBytes);
    const name = blockName(block);
    if (!there.has(name)) await writeWhole(join(folder, name), block);
    names.push(name);
  }
  return names;
}

const withPrefix = (tensors: Tensors): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, value]) => [bestPrefix + name, value]));

/** The tensors of a checkpoint's file: the state's, and those of the best epoch. */
function parted(tensors: Tensors): { readonly state: Tensors; readonly best: Tensors } {
  const isBest = ([name]: readonly [string, unknown]): boolean => name.startsWith(bestPrefix);
  const entries = Object.entries(tensors);
  const best = entries.filter(isBest).map(([name, value]) => [name.slice(bestPrefix.length), value] as const);
  return {
    state: Object.fromEntries(entries.filter((entry) => !isBest(entry))),
    best: Object.fromEntries(best),
  };
}

/** Saves `state` under `folder`; a stop at any moment leaves the last whole checkpoint readable. */
export async function saveCheckpoint(folder: string, identity: string, state: TrainingState): Promise<void> {
  await makeFolder(folder);
  const { tensors, stored, best, ...place } = state;
  const blocks = await writeBlocks(folder, stored);
  const storedLength = stored?.length ?? 0;
  const position: Position = { ...place, blocks, storedLength, ...(best && { bestEpoch: best.epoch }) };
  const all = { ...tensors, ...withPrefix(best?.tensors ?? {}) };
  const file = encodeTensors(all, { identity, position: JSON.stringify(position) });
  await writeWhole(join(folder, fileName), file);
  const kept = new Set(blocks);
  for (const name of await readdir(folder))
    if (blockPattern.test(name) && !kept.has(name)) await rm(join(folder, name), { force: true });
}

async function readBlocks(folder: string, { blocks, storedLength }: Position): Promise<Float32Array | null> {
  if (blocks.length === 0) return null;
  const stored = new Float32Array(storedLength);
  const bytes = new Uint8Array(stored.buffer);
  let offset = 0;
  for (const name of blocks) {
    const path = join(folder, name);
    const block = await readFile(path).catch(() => fail("checkpoint", `the file ${path}`, "none"));
    if (blockName(block) !== name)
      fail(path, "data that matches its name", "something else (the file is damaged)");
    bytes.set(block, offset);
    offset += block.length;
  }
  return stored;
}

/** Says how to get past a state that cannot be read. */
function orFresh(error: unknown): never {
  if (error instanceof TemperError && !error.message.includes("--fresh"))
    throw new TemperError(`${error.message}; --fresh starts over`);
  throw error;
}

/** The state saved under `folder`, or null if there is none; throws when it is of another recipe or damaged. */
export const loadCheckpoint = (folder: string, identity: string): Promise<TrainingState | null> =>
  readCheckpoint(folder, identity).catch(orFresh);

async function readCheckpoint(folder: string, identity: string): Promise<TrainingState | null> {
  const path = join(folder, fileName);
  if ((await stat(path).catch(() => null)) === null) return null;
  const { tensors, metadata } = decodeTensors(path, await readFile(path));
  check(
    metadata["identity"] === identity,
    path,
    "a checkpoint of this recipe",
    () => "one of another recipe (use --fresh to start over)",
  );
  const position = JSON.parse(metadata["position"] ?? "{}") as Position;
  const { epoch, batches, history, sums, seconds, bestEpoch } = position;
  const { state, best } = parted(tensors);
  return {
    ...{ epoch, batches, history, sums, seconds },
    tensors: state,
    best: bestEpoch === undefined ? null : { epoch: bestEpoch, tensors: best },
    stored: await readBlocks(folder, position),
  };
}

/** Removes the checkpoint under `folder`. */
export const dropCheckpoint = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });
