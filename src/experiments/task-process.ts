// The child's side of a task in a process of its own, driven by messages; it does not outlive its parent.
import { performTask, type Task, type TaskEvent } from "./task.js";
import type { TrialResult } from "./trial.js";

export type TaskRequest = { readonly kind: "task"; readonly task: Task } | { readonly kind: "stop" };

export type TaskReply =
  | TaskEvent
  | { readonly kind: "ended"; readonly result: TrialResult | null }
  | { readonly kind: "failed"; readonly name: string; readonly message: string };

const stop = new AbortController();
// Ctrl-C reaches all processes of a terminal; when to stop is the parent's word.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => stop.abort());
// At once, like the parent: what it left is whole, and somebody else may already go on with it.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));

const reply = (message: TaskReply): Promise<void> =>
  new Promise((sent) => {
    process.send?.(message, () => sent());
  });

async function perform(task: Task): Promise<void> {
  const ended = await performTask(task, {
    signal: stop.signal,
    onEvent: (event) => void reply(event),
  }).then(
    (result): TaskReply => ({ kind: "ended", result }),
    (error: unknown): TaskReply =>
      error instanceof Error
        ? { kind: "failed", name: error.name, message: error.message }
        : { kind: "failed", name: "Error", message: String(error) },
  );
  await reply(ended);
  process.removeAllListeners("disconnect");
  process.disconnect();
}

process.on("message", (request: TaskRequest) => {
  if (request.kind === "stop") stop.abort();
  else void perform(request.task);
});
