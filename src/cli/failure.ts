// From what was thrown to one line on stderr and an exit code.
import { CommanderError } from "commander";
import { TemperError } from "../base/errors.js";
import { plain } from "../report/text.js";
import { note, type Io } from "./io.js";

/** 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C, 143 by a termination signal. */
export type ExitCode = 0 | 1 | 2 | 130 | 143;

/** A command stopped because it was asked to; `message` says how to go on. */
export class Stopped extends Error {
  override readonly name = "Stopped";

  constructor(
    message: string,
    readonly code: 130 | 143,
  ) {
    super(message);
  }
}

const systemWords: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  EISDIR: "a folder where a file was expected",
  ENOTDIR: "a file where a folder was expected",
  EACCES: "no permission",
  EPERM: "no permission",
  EROFS: "a read-only disk",
  ENOSPC: "no room on the disk",
  EMFILE: "too many open files",
};

/** `path: what is wrong with it`, for an error of the system that nobody caught. */
function systemLine(error: Error): string | undefined {
  if (!("code" in error) || typeof error.code !== "string") return undefined;
  const words = systemWords[error.code];
  const path = "path" in error && typeof error.path === "string" ? `${oneLine(error.path)}: ` : "";
  return words === undefined ? undefined : `${path}${words} (${error.code})`;
}

/** On one line, and without the control characters that a file or a path may hold. */
const oneLine = (text: string): string => plain(text).trim();

function lineOf(error: Error): string {
  if (error instanceof TemperError || error instanceof Stopped) return oneLine(error.message);
  const known = systemLine(error);
  if (known !== undefined) return known;
  return `unexpected ${error.name}: ${oneLine(error.message)} (a defect of Temper; TEMPER_DEBUG=1 shows where)`;
}

/** Prints `temper: …` and says with what code to end. */
export function reportFailure(io: Io, thrown: unknown): ExitCode {
  // Commander has printed its own line (or the help that was asked for) before it throws.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  note(io, `temper: ${lineOf(error)}`);
  if (io.env["TEMPER_DEBUG"] === "1" && error.stack !== undefined) note(io, error.stack);
  return error instanceof Stopped ? error.code : 1;
}
