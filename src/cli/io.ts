// Where a command reads and writes: the process in the program, plain streams in tests.
import type { Writable } from "node:stream";

/** A stream for text; a terminal says so and how wide it is. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** What `process` is to signals. */
export interface Signals {
  on(event: NodeJS.Signals, listener: () => void): unknown;
  off(event: NodeJS.Signals, listener: () => void): unknown;
}

export interface Io {
  /** Results. */
  readonly out: Output;
  /** Progress and messages. */
  readonly err: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signals: Signals;
  /** Ends the process at once, as the signal does where nobody listens. */
  kill(signal: NodeJS.Signals): void;
}

/** Text is laid out for at most so many columns. */
export const maxWidth = 80;

/** Of a terminal (one that does not know says 0), else what COLUMNS says, at least 40. */
export const widthOf = ({ columns }: Output, { COLUMNS }: Io["env"]): number =>
  Math.min(maxWidth, columns || Math.max(40, Number.parseInt(COLUMNS ?? "", 10) || maxWidth));

export const print = ({ out }: Io, text: string): void => void out.write(`${text}\n`);

/** A line about what goes on, beside the results. */
export const note = ({ err }: Io, text: string): void => void err.write(`${text}\n`);

export const printJson = (io: Io, value: unknown): void => print(io, JSON.stringify(value, null, 2));

export const processIo: Io = {
  out: process.stdout,
  err: process.stderr,
  env: process.env,
  signals: process,
  // Not process.exit: it waits for no thread, and one that is inside the engine aborts the process.
  kill(signal) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  },
};
