// What memory the machine has, and whether a training fits into it.
import { totalmem } from "node:os";
import { bytesText } from "../base/bytes-text.js";
import { fail } from "../base/errors.js";

/** Bytes. */
export interface MachineMemory {
  /** All that this process may have: the machine's, or less where it is confined. */
  readonly total: number;
  /** What is left of it now. */
  readonly free: number;
}

/** The memory of this machine. */
export function machineMemory(): MachineMemory {
  const limit = process.constrainedMemory();
  const total = Math.min(totalmem(), limit > 0 ? limit : Infinity);
  return { total, free: Math.min(total, process.availableMemory()) };
}

/** What a training is predicted to take, beside what there is. */
export interface Need {
  readonly bytes: number;
  readonly room: number;
  /** Whose the room is: `that this machine has`. */
  readonly whose: string;
  /** The largest batch for which the room suffices; null where none does. */
  readonly largestBatch: () => number | null;
}

/** Throws where a training is predicted to take more than there is: it would be killed midway. */
export function checkMemory(where: string, { bytes, room, whose, largestBatch }: Need): void {
  if (bytes <= room) return;
  const batch = largestBatch();
  fail(
    where,
    `training within the ${bytesText(room)} of memory ${whose}`,
    `one that takes about ${bytesText(bytes)}`,
    batch === null ? "smaller networks" : `batches of up to ${batch}`,
  );
}
