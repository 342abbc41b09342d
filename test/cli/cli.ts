// Runs the command line inside the test: what it prints, and the code it ends with.
import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll } from "vitest";
import type { Io } from "../../src/cli/io.js";
import { runCli } from "../../src/cli/program.js";

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Signals by which the process was ended at once. */
  readonly killed: readonly string[];
}

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  /** Called with each piece of stderr. */
  readonly onErr?: (text: string, signals: EventEmitter) => void;
  readonly terminal?: boolean;
}

/** A stream that keeps what it is given. */
function collector(terminal: boolean, onText: (text: string) => void = () => undefined) {
  const parts: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      parts.push(chunk.toString());
      onText(chunk.toString());
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY: terminal, columns: 80 }), text: () => parts.join("") };
}

/** `temper …args`. */
export async function temper(args: readonly string[], surroundings: Surroundings = {}): Promise<Ended> {
  const { env = {}, onErr, terminal = false } = surroundings;
  const signals = new EventEmitter();
  const killed: string[] = [];
  const out = collector(false);
  const err = collector(terminal, (text) => onErr?.(text, signals));
  const io: Io = {
    out: out.stream,
    err: err.stream,
    env,
    signals,
    kill: (signal) => void killed.push(signal),
  };
  const code = await runCli(args, io);
  return { code, out: out.text(), err: err.text(), killed };
}

/** A new folder that is removed after the file's tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "temper-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Lines of more than 80 columns. */
export const tooWide = (text: string): string[] =>
  text.split(/[\r\n]+/).filter((line) => Array.from(line).length > 80);
