// Engines side by side that share the images of one evaluation.
import { availableParallelism } from "node:os";
import type { Engine } from "../runtime/engine.js";
import { workerEngine } from "../runtime/worker-engine.js";
import { environment } from "./environment.js";
import { machineMemory } from "./machine-memory.js";
import type { RunFile } from "./records.js";

export interface EnginesOptions {
  readonly provider: string;
  /** Of each engine. */
  readonly threads: number;
  /** How many; default: one for each `threads` cores, fewer where memory is short, one on a graphics card. */
  readonly jobs?: number | undefined;
}

/** What an engine may take of memory for each byte of the model: its weights in several programs, activations. */
const bytesPerModelByte = 12;

/** Engines for a model of `bytes`. */
export function openEngines(bytes: number, { provider, threads, jobs }: EnginesOptions): Engine[] {
  const cores = Math.floor(availableParallelism() / threads);
  const room = Math.floor(machineMemory().free / 2 / (bytesPerModelByte * bytes));
  const fitting = provider === "cpu" ? Math.max(1, Math.min(cores, room)) : 1;
  return Array.from({ length: jobs ?? fitting }, () => workerEngine({ provider, threads }));
}

export const closeEngines = async (engines: readonly Engine[]): Promise<void> => {
  await Promise.all(engines.map((engine) => engine.close()));
};

/** Everything about the machine and versions behind what `engines` computed. */
export function environmentOf(engines: readonly Engine[]): RunFile["environment"] {
  const [{ provider, threads } = { provider: "cpu", threads: 1 }] = engines;
  return environment({ provider, threads, jobs: engines.length });
}
