// The parent's side of a task: a process for each, so that trials share nothing and one that dies takes no other along.
import { fork, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { TemperError } from "../base/errors.js";
import { Interrupted } from "../defenses/train.js";
import { performTask, type Task, type TaskOptions } from "./task.js";
import type { TaskReply, TaskRequest } from "./task-process.js";
import type { TrialResult } from "./trial.js";

/** Errors lose their class between processes. */
function errorOf({ name, message }: { readonly name: string; readonly message: string }): Error {
  if (name === "Interrupted") return new Interrupted(message);
  if (name === "TemperError") return new TemperError(message);
  return Object.assign(new Error(message), { name });
}

/** The last words of a process that died, in one line. */
function deathOf(code: number | null, signal: NodeJS.Signals | null, said: string): TemperError {
  const words = said.split("\n").find((line) => /fatal|error/i.test(line));
  const how = signal === null ? `with code ${code ?? "unknown"}` : `by ${signal}`;
  const reason = words === undefined ? "" : ` (${words.trim()})`;
  return new TemperError(
    `its process ended ${how}${reason}; the same command goes on from its last checkpoint`,
  );
}

function inProcess(file: string, task: Task, { signal, onEvent }: TaskOptions): Promise<TrialResult | null> {
  const child: ChildProcess = fork(file, {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (said = `${said}${text}`.slice(-4000)));
  const ask = (request: TaskRequest): void => void (child.connected && child.send(request));
  const stop = (): void => ask({ kind: "stop" });
  signal.addEventListener("abort", stop);
  return new Promise<TrialResult | null>((resolve, reject) => {
    let outcome: (() => void) | undefined;
    child.on("message", (message: TaskReply) => {
      if (message.kind === "ended") outcome = () => resolve(message.result);
      else if (message.kind === "failed") outcome = () => reject(errorOf(message));
      else onEvent(message);
    });
    child.on("error", reject);
    // What it said counts once it is gone: then its files are whole and its memory is free.
    child.on("exit", (code, killed) => (outcome ?? (() => reject(deathOf(code, killed, said))))());
    ask({ kind: "task", task });
    if (signal.aborted) stop();
  }).finally(() => signal.removeEventListener("abort", stop));
}

/** Does what is left of a task in a process of its own; rejects with what it threw, or in one line with how it died. */
export function startTask(task: Task, options: TaskOptions): Promise<TrialResult | null> {
  const file = fileURLToPath(new URL("./task-process.js", import.meta.url));
  // Run from TypeScript sources there is no compiled module beside this file.
  return existsSync(file) ? inProcess(file, task, options) : performTask(task, options);
}
