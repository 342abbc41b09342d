// Ctrl-C: the first asks the work to save and stop, the second ends the process at once.
import { Stopped } from "./failure.js";
import type { Io } from "./io.js";
import type { ProgressView } from "./progress.js";

const isStop = (error: unknown): boolean =>
  error instanceof Error && (error.name === "Interrupted" || error.name === "AbortError");

/** What to say when the work was asked to stop. */
export interface StopMessages {
  /** At once, while the work comes to its end. */
  readonly stopping: string;
  /** When it has stopped: how to go on. */
  readonly stopped: string;
  /** What is on the screen. */
  readonly view: Pick<ProgressView, "say" | "stop">;
}

/** Runs `work` with a signal that fires at Ctrl-C or termination; throws `Stopped` when it gave in. */
export async function interruptible<T>(
  io: Io,
  messages: StopMessages,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let code: 130 | 143 = 130;
  const stopWith = (own: 130 | 143, name: NodeJS.Signals) => (): void => {
    if (controller.signal.aborted) {
      messages.view.stop();
      return io.kill(name);
    }
    code = own;
    messages.view.say(messages.stopping);
    controller.abort();
  };
  const [interrupt, terminate] = [stopWith(130, "SIGINT"), stopWith(143, "SIGTERM")];
  io.signals.on("SIGINT", interrupt);
  io.signals.on("SIGTERM", terminate);
  try {
    return await work(controller.signal);
  } catch (error) {
    throw controller.signal.aborted && isStop(error) ? new Stopped(messages.stopped, code) : error;
  } finally {
    io.signals.off("SIGINT", interrupt);
    io.signals.off("SIGTERM", terminate);
  }
}
