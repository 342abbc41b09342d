// Jobs side by side: each begins when those before it in need are over, and one that fails stops no other.
import { TemperError } from "../base/errors.js";
import { Interrupted } from "../defenses/train.js";

/** Something to be done, under a name that others may wait for. */
export interface Job<T> {
  readonly name: string;
  /** Names of jobs that must be over. */
  readonly after: readonly string[];
  run(): Promise<T>;
}

/** How a job ended. */
export type Outcome<T> = { readonly name: string } & ({ readonly value: T } | { readonly error: Error });

export interface RunJobsOptions<T> {
  /** Jobs at once. */
  readonly width: number;
  readonly signal: AbortSignal;
  readonly onOutcome: (outcome: Outcome<T>) => void;
}

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)));

/**
 * Runs `jobs`, at most `width` at once, the first that can begin first; none begins once the signal has fired. A job
 * whose predecessor failed fails too. Resolves to the outcomes of those that began or could not, in the order of their ends.
 */
export async function runJobs<T>(
  jobs: readonly Job<T>[],
  { width, signal, onOutcome }: RunJobsOptions<T>,
): Promise<Outcome<T>[]> {
  const waiting = [...jobs];
  const outcomes: Outcome<T>[] = [];
  const running = new Map<string, Promise<void>>();
  const over = (outcome: Outcome<T>): void => {
    outcomes.push(outcome);
    onOutcome(outcome);
  };
  const begin = (job: Job<T>): void => {
    waiting.splice(waiting.indexOf(job), 1);
    const ended = (outcome: Outcome<T>): void => {
      running.delete(job.name);
      over(outcome);
    };
    const { name } = job;
    running.set(
      name,
      job.run().then(
        (value) => ended({ name, value }),
        (reason: unknown) => ended({ name, error: asError(reason) }),
      ),
    );
  };
  const failed = (name: string): boolean => outcomes.some((each) => each.name === name && "error" in each);
  const isOpen = (name: string): boolean => running.has(name) || waiting.some((job) => job.name === name);
  for (;;) {
    const doomed = waiting.find(({ after }) => after.some(failed));
    if (doomed) {
      waiting.splice(waiting.indexOf(doomed), 1);
      const cause = doomed.after.find(failed) ?? "";
      over({ name: doomed.name, error: new TemperError(`it needs ${cause}, which failed`) });
      continue;
    }
    const next = signal.aborted ? undefined : waiting.find(({ after }) => !after.some(isOpen));
    if (next && running.size < width) begin(next);
    else if (running.size === 0) return outcomes;
    else await Promise.race(running.values());
  }
}

/** Throws what ended the run: that it was stopped, or the failures, in one line. */
export function throwFailures(outcomes: readonly Outcome<unknown>[], stop: AbortSignal): void {
  const failures = outcomes.flatMap((each) => ("error" in each ? [each] : []));
  const real = failures.filter(({ error }) => !(error instanceof Interrupted));
  const [first] = real;
  if (stop.aborted) throw new Interrupted("run");
  if (first === undefined) {
    const [stopped] = failures;
    if (stopped) throw new TemperError(`${stopped.name}: its process was stopped; the same command goes on`);
    return;
  }
  if (real.length === 1) throw first.error;
  throw new TemperError(`${real.length} trials failed, ${first.name} first: ${first.error.message}`);
}
