// What a person sees while something trains or is attacked: bars on a terminal, a line now and then elsewhere.
import type { MultiBar, SingleBar } from "cli-progress";
import type { Progress } from "../defenses/train.js";
import { duration, epsilonText, integer } from "../report/text.js";
import { note, widthOf, type Io } from "./io.js";

/** How far one task is. */
export interface Step {
  /** Share that is done, in [0, 1]. */
  readonly share: number;
  /** What goes on, short: `epoch 3/10  loss 0.123`. */
  readonly text: string;
}

export interface ProgressView {
  update(task: string, step: Step): void;
  /** Something was reached that is worth a line of its own where there are no bars. */
  line(task: string, text: string): void;
  /** Something begins that is. */
  begin(task: string, text: string): void;
  /** A message, whatever is on the screen. */
  readonly say: (text: string) => void;
  /** How many of all tasks are done; to be said before the last of them finishes. */
  tally(done: number, total: number): void;
  /** The task is done; `text` is what came out. */
  finish(task: string, text: string): void;
  readonly stop: () => void;
}

/** Seconds left, from how fast the task went since it was first seen (a resumed one does not begin at 0). */
export class Remaining {
  readonly #begun = new Map<string, { readonly share: number; readonly at: number }>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Undefined until there is something to go by. */
  of(task: string, share: number): number | undefined {
    const first = this.#begun.get(task);
    if (first === undefined) this.#begun.set(task, { share, at: this.now() });
    const gained = share - (first?.share ?? share);
    if (first === undefined || gained <= 0) return undefined;
    return ((this.now() - first.at) / 1000 / gained) * (1 - share);
  }

  forget(task: string): void {
    this.#begun.delete(task);
  }
}

/** `42 s left`, `1:20 left` or `1:02:03 left`; nothing while it is not known or almost over. */
export function leftText(seconds: number | undefined): string {
  if (seconds === undefined || seconds < 0.5) return "";
  return `${seconds < 59 ? `${Math.ceil(seconds)} s` : duration(seconds).replace(/ \w+$/, "")} left`;
}

function lineView(io: Io): ProgressView {
  const remaining = new Remaining();
  const left = new Map<string, string>();
  let tally = "";
  return {
    tally: (done, total) => void (tally = ` (${done} of ${total} done)`),
    update: (task, { share }) => void left.set(task, leftText(remaining.of(task, share))),
    line(task, text) {
      const time = left.get(task) ?? "";
      note(io, `${task}: ${text}${time === "" ? "" : `, ${time}`}`);
    },
    finish(task, text) {
      remaining.forget(task);
      note(io, `${task}: ${text}${tally}`);
    },
    begin(task, text) {
      remaining.forget(task);
      note(io, `${task}: ${text}`);
    },
    say: (text) => note(io, text),
    stop: () => undefined,
  };
}

const barSize = 8;

/** `text` in exactly `width` letters. */
const fitted = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, Math.max(width - 1, 0))}…` : text.padEnd(width);

interface Widths {
  readonly name: number;
  readonly all: number;
}

function barRow(task: string, share: number, text: string, { name, all }: Widths): string {
  const done = Math.round(share * barSize);
  const bar = "█".repeat(done) + "░".repeat(barSize - done);
  return `${fitted(task, name)} ${bar} ${fitted(text, all - name - barSize - 3)}`;
}

async function barView(io: Io): Promise<ProgressView> {
  const { default: progress } = await import("cli-progress");
  const remaining = new Remaining();
  const bars = new Map<string, SingleBar>();
  const nameWidth = (): number => Math.min(26, Math.max(12, ...[...bars.keys()].map((task) => task.length)));
  const multi: MultiBar = new progress.MultiBar({
    stream: io.err,
    gracefulExit: false,
    clearOnComplete: false,
    format: (_, { progress: share }, { task, text }: { task: string; text: string }) =>
      barRow(task, share, text, { name: nameWidth(), all: widthOf(io.err, io.env) }),
  });
  const bar = (task: string): SingleBar => {
    const known = bars.get(task);
    if (known) return known;
    const made = multi.create(1, 0, { task, text: "" });
    bars.set(task, made);
    return made;
  };
  return {
    tally: (done, total) =>
      bar("all").update(done / total, { task: "all", text: `${done} of ${total} done` }),
    update(task, { share, text }) {
      const left = leftText(remaining.of(task, share));
      bar(task).update(share, { task, text: left === "" ? text : `${text}  ${left}` });
    },
    line: () => undefined,
    begin: (task) => remaining.forget(task),
    // Bars print what was logged when they are next drawn.
    say: (text) => (bars.size === 0 ? note(io, text) : multi.log(`${text}\n`)),
    finish(task, text) {
      remaining.forget(task);
      bar(task).update(1, { task, text });
    },
    stop: () => multi.stop(),
  };
}

/** Bars where stderr is a terminal, lines elsewhere. */
export const progressView = (io: Io): Promise<ProgressView> =>
  io.err.isTTY === true ? barView(io) : Promise.resolve(lineView(io));

/** Three digits, all of a few more, or 7.176e+10 where training diverges. */
const lossText = (loss: number): string =>
  loss >= 100 && loss < 1e6 ? loss.toFixed(0) : loss.toPrecision(loss >= 1e6 ? 4 : 3);

/** `pgd linf 0.03137254901960784` with the radius as the tables write it: `pgd linf 8/255`. */
export const attackStage = (doing: string): string =>
  doing.replace(/ (\d[\d.e+-]*)$/, (_, radius: string) => ` ${epsilonText(Number(radius))}`);

/** Shows training: a bar for all epochs, or a line after each. */
export function trainingStep({ epoch, epochs, seen, count, loss, imagesPerSecond }: Progress): Step {
  const speed =
    imagesPerSecond < 10_000 ? imagesPerSecond.toFixed(0) : `${(imagesPerSecond / 1000).toFixed(0)}k`;
  return {
    share: (epoch + seen / count) / epochs,
    text: `epoch ${epoch + 1}/${epochs}  loss ${lossText(loss)}  ${speed}/s`,
  };
}

/** The line after an epoch. */
export const epochText = (
  epoch: number,
  epochs: number,
  loss: number,
  imagesPerSecond: number | undefined,
): string =>
  `epoch ${epoch}/${epochs}, loss ${lossText(loss)}` +
  (imagesPerSecond === undefined ? "" : `, ${integer(Math.round(imagesPerSecond))} images/s`);
