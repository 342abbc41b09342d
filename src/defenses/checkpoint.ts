// Checkpoints: one tensor file written atomically, and blocks of the moving inputs named by their content.
import { createHash } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { check, fail, TemperError } from "../base/errors.js";
import { errorCode, makeFolder, writeWhole } from "../data/disk.js";
import { decodeTensors, encodeTensors } from "../base/safetensors.js";
import { floats } from "../base/tensor.js";
import type { Tensors } from "../runtime/engine.js";
import type { EpochRecord, TrainingState } from "./training-state.js";

const fileName = "state.safetensors";
const blockBytes = 16 * 2 ** 20;
/** In front of the names of the best epoch's weights. */
const bestPrefix = "best-epoch:";
/** In front of the numbers of snapshots. */
const snapshotPrefix = "snapshot:";
const blockPattern = /^inputs-[0-9a-f]{32}\.bin$/;

interface Position {
  readonly epoch: number;
  readonly batches: number;
  readonly history: readonly EpochRecord[];
  readonly sums: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Not in files of earlier versions. */
  readonly processorSeconds?: number | null;
  readonly blocks: readonly string[];
  readonly storedLength: number;
  /** Blocks of the state of each sample, of the same length as the inputs. */
  readonly perSample?: readonly { readonly name: string; readonly blocks: readonly string[] }[];
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

const withPrefix = (prefix: string, tensors: Tensors): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, value]) => [prefix + name, value]));

/** Tensors of a checkpoint's file whose names begin with `prefix`, without it. */
const prefixed = (prefix: string, tensors: Tensors): Tensors =>
  Object.fromEntries(
    Object.entries(tensors)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );

interface Parted extends Pick<TrainingState, "snapshots"> {
  readonly state: Tensors;
  readonly best: Tensors;
}

/** The tensors of a checkpoint's file: the state's, those of the best epoch, snapshots in their order. */
function parted(tensors: Tensors): Parted {
  const isOther = (name: string): boolean =>
    [bestPrefix, snapshotPrefix].some((each) => name.startsWith(each));
  const snapshots = Object.values(prefixed(snapshotPrefix, tensors));
  return {
    state: Object.fromEntries(Object.entries(tensors).filter(([name]) => !isOther(name))),
    best: prefixed(bestPrefix, tensors),
    snapshots: snapshots.flatMap(({ data }) => (data instanceof Float32Array ? [data] : [])),
  };
}

/** Saves `state` under `folder`; a stop at any moment leaves the last whole checkpoint readable. */
export async function saveCheckpoint(folder: string, identity: string, state: TrainingState): Promise<void> {
  await makeFolder(folder);
  const { tensors, stored, best, perSample: held, snapshots, ...place } = state;
  const blocks = await writeBlocks(folder, stored);
  const perSample: { name: string; blocks: string[] }[] = [];
  for (const [name, values] of Object.entries(held))
    perSample.push({ name, blocks: await writeBlocks(folder, values) });
  const storedLength = stored?.length ?? 0;
  const kinds = { ...(perSample.length > 0 && { perSample }), ...(best && { bestEpoch: best.epoch }) };
  const position: Position = { ...place, blocks, storedLength, ...kinds };
  const images = snapshots.map((values, i) => [String(i), floats([values.length], values)] as const);
  const all = {
    ...tensors,
    ...withPrefix(bestPrefix, best?.tensors ?? {}),
    ...withPrefix(snapshotPrefix, Object.fromEntries(images)),
  };
  const file = encodeTensors(all, { identity, position: JSON.stringify(position) });
  await writeWhole(join(folder, fileName), file);
  const kept = new Set([...blocks, ...perSample.flatMap((each) => each.blocks)]);
  for (const name of await readdir(folder))
    if (blockPattern.test(name) && !kept.has(name)) await rm(join(folder, name), { force: true });
}

/** The numbers in `blocks`, in order. */
async function readBlocks(folder: string, blocks: readonly string[], length: number): Promise<Float32Array> {
  const stored = new Float32Array(length);
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
const orWithout =
  (folder: string) =>
  (error: unknown): never => {
    if (error instanceof TemperError && !error.message.includes("--fresh"))
      throw new TemperError(`${error.message}; remove the folder ${folder} to begin this training again`);
    throw error;
  };

/** The state saved under `folder`, or null if there is none; throws when it is of another training or damaged. */
export const loadCheckpoint = (folder: string, identity: string): Promise<TrainingState | null> =>
  readCheckpoint(folder, identity).catch(orWithout(folder));

/** How far a checkpoint is, without the inputs that move. */
export interface CheckpointProgress {
  /** Epochs that are whole. */
  readonly epoch: number;
  /** Epochs with the share of the one in progress; that share is 0 in the first one, whose length is not known yet. */
  readonly epochs: number;
  /** Time spent on training so far. */
  readonly seconds: number;
}

/**
 * How far the checkpoint under `folder` is, or null if there is none; throws as `loadCheckpoint` does. Another process
 * may write there meanwhile.
 */
export const checkpointProgress = (folder: string, identity: string): Promise<CheckpointProgress | null> =>
  readProgress(folder, identity).catch(orWithout(folder));

async function readProgress(folder: string, identity: string): Promise<CheckpointProgress | null> {
  const state = await readState(folder, identity);
  if (state === null) return null;
  const { epoch, batches, seconds } = state.position;
  const before = Number(state.tensors["step"]?.data[0] ?? 0) - batches;
  const share = epoch > 0 && before > 0 ? (batches * epoch) / before : 0;
  return { epoch, epochs: epoch + share, seconds };
}

/** The epochs behind the checkpoint under `folder`; none where there is none. Throws as `loadCheckpoint` does. */
export const checkpointHistory = async (folder: string, identity: string): Promise<readonly EpochRecord[]> =>
  (await readState(folder, identity).catch(orWithout(folder)))?.position.history ?? [];

/** The file of the checkpoint under `folder`, or null if there is none. */
async function readState(
  folder: string,
  identity: string,
): Promise<{ readonly tensors: Tensors; readonly position: Position } | null> {
  const path = join(folder, fileName);
  const file = await readFile(path).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return null;
    throw error;
  });
  if (file === null) return null;
  const { tensors, metadata } = decodeTensors(path, file);
  check(
    metadata["identity"] === identity,
    path,
    "a checkpoint of this training",
    () => "one with another model, images or settings (use --fresh to start over)",
  );
  return { tensors, position: JSON.parse(metadata["position"] ?? "{}") as Position };
}

async function readCheckpoint(folder: string, identity: string): Promise<TrainingState | null> {
  const file = await readState(folder, identity);
  if (file === null) return null;
  const { tensors, position } = file;
  const { epoch, batches, history, sums, seconds, processorSeconds = null, bestEpoch } = position;
  const { blocks, storedLength } = position;
  const { state, best, snapshots } = parted(tensors);
  const perSample: Record<string, Float32Array> = {};
  for (const each of position.perSample ?? [])
    perSample[each.name] = await readBlocks(folder, each.blocks, storedLength);
  return {
    ...{ epoch, batches, history, sums, seconds, processorSeconds },
    tensors: state,
    best: bestEpoch === undefined ? null : { epoch: bestEpoch, tensors: best },
    stored: blocks.length === 0 ? null : await readBlocks(folder, blocks, storedLength),
    perSample,
    snapshots,
  };
}

/** Removes the checkpoint under `folder`. */
export const dropCheckpoint = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });
