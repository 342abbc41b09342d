// The training loop: epochs of chunks, one engine run each; the next chunk is prepared while one runs.
import { TemperError } from "../base/errors.js";
import { scalar, type Tensor } from "../base/tensor.js";
import { batchRanges, epochOrder } from "../data/batches.js";
import { imageSize, type ImageShape, type Split } from "../data/dataset.js";
import type { Weights } from "../nn/model.js";
import { nextName } from "../onnx/export.js";
import { learningRateAt, type Schedule } from "../optim/schedule.js";
import type { Engine, Program, Tensors } from "../runtime/engine.js";
import { loadLoop } from "../runtime/load.js";
import { feedsFor, storeRows, type Chunk, type FeedSource } from "./feeds.js";
import { bytesOf, runLimits, stepsPerRun, type StepBytes } from "./run-limits.js";
import type { TrainStep } from "./train-step.js";
import type { EpochRecord, TrainingState } from "./training-state.js";

export interface Progress {
  readonly epoch: number;
  readonly epochs: number;
  /** Samples seen in this epoch, of `count`. */
  readonly seen: number;
  readonly count: number;
  readonly loss: number;
  readonly imagesPerSecond: number;
}

export interface TrainOptions {
  readonly engine: Engine;
  readonly step: TrainStep;
  readonly split: Split;
  readonly imageShape: ImageShape;
  readonly epochs: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly schedule: Schedule;
  readonly state: TrainingState;
  /** Named in error messages. */
  readonly name: string;
  readonly onProgress?: (progress: Progress) => void;
  readonly onEpoch?: (record: EpochRecord) => void;
  /** Called every `saveEvery` milliseconds and when the signal fires. */
  readonly save?: (state: TrainingState) => Promise<void>;
  readonly saveEvery?: number;
  readonly signal?: AbortSignal;
}

/** The training stopped because it was asked to, with its state saved. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** Consecutive full batches in groups of at most `size`, the odd-sized last batch alone. */
function nextChunk(
  order: Uint32Array,
  options: TrainOptions,
  epoch: number,
  from: number,
  size: number,
): Chunk {
  const ranges = batchRanges(order.length, options.batchSize).slice(from);
  const width = (i: number): number => (ranges[i]?.end ?? 0) - (ranges[i]?.start ?? 0);
  let length = 1;
  while (length < size && length < ranges.length && width(length) === width(0)) length++;
  const [start, end] = [ranges[0]?.start ?? 0, ranges[length - 1]?.end ?? 0];
  return { indices: order.subarray(start, end), batchSize: width(0), epoch };
}

/** Adds the results of one run to the epoch's sums; `refuse` throws at a loss that is not finite. */
function accumulate(
  sums: Record<string, number>,
  results: Tensors,
  batchSize: number,
  refuse: (step: number, loss: number) => never,
): void {
  for (const [name, { data }] of Object.entries(results)) {
    if (name === "storedInputs") continue;
    for (const [i, value] of data.entries()) {
      if (name === "loss" && !Number.isFinite(Number(value))) refuse(i, Number(value));
      sums[name] = (sums[name] ?? 0) + Number(value) * batchSize;
    }
  }
}

/** One training under way. */
interface Session {
  readonly options: TrainOptions;
  readonly program: Program;
  readonly source: FeedSource;
  readonly begun: number;
  chunkSize: number;
  readonly stateBytes: number;
  lastSave: number;
  /** Where the last saved state stands, in words. */
  lastGood: string;
}

const isFinite = ({ data }: Tensor): boolean =>
  !(data instanceof Float32Array) || data.every((x) => Number.isFinite(x));

const placeOf = (epoch: number, batches: number): string =>
  batches === 0 ? `the end of epoch ${epoch}` : `epoch ${epoch + 1}, batch ${batches}`;

/** Seconds of training behind `session`, earlier parts included. */
const secondsOf = ({ options, begun }: Session): number =>
  options.state.seconds + (performance.now() - begun) / 1000;

type Position = Omit<TrainingState, "tensors" | "stored" | "seconds">;

async function saveNow(session: Session, position: Position): Promise<void> {
  const { options, program, source } = session;
  const tensors = await program.read(Object.keys(options.state.tensors));
  session.lastSave = performance.now();
  // Weights may be lost one step before the loss shows it: such a state is no good to continue from.
  if (!options.save || !Object.values(tensors).every(isFinite)) return;
  await options.save({ ...position, tensors, stored: source.stored, seconds: secondsOf(session) });
  session.lastGood = placeOf(position.epoch, position.batches);
}

/** Chooses how many steps the next run takes, from how long the last one took; keeps a number that is near enough. */
function adapt(session: Session, millisecondsPerStep: number, bytes: StepBytes): void {
  const next = Math.min(stepsPerRun(millisecondsPerStep, bytes), session.chunkSize * 4);
  const near = next > 0.7 * session.chunkSize && next < 1.5 * session.chunkSize;
  if (!near || session.chunkSize > runLimits.inputBytes / bytes.inputs) session.chunkSize = next;
}

/** A chunk and the feeds of its run. */
interface Prepared {
  readonly chunk: Chunk;
  readonly feeds: Tensors;
}

/** Trains one epoch from `first` batches in; returns its sums. */
async function trainEpoch(
  session: Session,
  epoch: number,
  first: number,
  given: Readonly<Record<string, number>>,
  history: readonly EpochRecord[],
): Promise<Record<string, number>> {
  const { options, program, source } = session;
  const order = epochOrder(options.split.count, { seed: options.seed, epoch });
  const total = batchRanges(order.length, options.batchSize).length;
  const sums = { ...given };
  const constants = (): Tensors => ({
    learningRate: scalar(learningRateAt(options.schedule, epoch)),
    ...Object.fromEntries(Object.entries(options.step.scalars).map(([name, value]) => [name, scalar(value)])),
  });
  let done = first;
  const prepare = (from: number): Prepared | null => {
    if (from >= total) return null;
    const chunk = nextChunk(order, options, epoch, from, session.chunkSize);
    return { chunk, feeds: { ...feedsFor(source, chunk), ...constants() } };
  };
  const start = (prepared: Prepared | null): Promise<Tensors> | null => {
    const run = prepared === null ? null : program.run(prepared.feeds);
    // Where something else fails first, nobody waits for this run.
    run?.catch(() => undefined);
    return run;
  };
  let current = prepare(done);
  let running = start(current);
  while (current !== null && running !== null) {
    const { chunk } = current;
    const steps = chunk.indices.length / chunk.batchSize;
    const begun = performance.now();
    // Rows of one epoch are visited once, so what a run moves is not among what the next one reads.
    const following = prepare(done + steps);
    const results = await running;
    const milliseconds = performance.now() - begun;
    const due = performance.now() - session.lastSave >= (options.saveEvery ?? Infinity);
    const stopping = options.signal?.aborted === true;
    const pausing = done + steps < total && (due || stopping);
    // The engine goes on while the results are booked, unless its state is to be read.
    running = pausing ? null : start(following);
    const inputs = (source.stored ? 4 : 1) * chunk.batchSize * imageSize(options.imageShape);
    adapt(session, milliseconds / steps, { inputs, state: session.stateBytes });
    const refuse = (index: number, loss: number): never => {
      const batch = `batch ${done + index + 1} of ${total}`;
      throw new TemperError(
        `${options.name}: the loss is ${loss} in epoch ${epoch + 1}, ${batch}; last good checkpoint: ${session.lastGood}`,
      );
    };
    accumulate(sums, results, chunk.batchSize, refuse);
    const moved = results["storedInputs"];
    if (moved && source.stored) storeRows(source.stored, moved, chunk.indices);
    if (moved?.data instanceof Float32Array) source.spare = moved.data;
    done += steps;
    const seen = Math.min(done * options.batchSize, order.length);
    options.onProgress?.({
      epoch,
      epochs: options.epochs,
      seen,
      count: order.length,
      loss: (sums["loss"] ?? 0) / seen,
      imagesPerSecond: (chunk.indices.length / milliseconds) * 1000,
    });
    if (pausing) {
      await saveNow(session, { epoch, batches: done, history, sums });
      if (stopping) throw new Interrupted(options.name);
      running = start(following);
    }
    current = following;
  }
  return sums;
}

/** The program of a training step, holding `state`. */
async function loadStep({ engine, step, state }: TrainOptions, frozen: Tensors): Promise<Program> {
  const carry = Object.fromEntries(
    step.loop.carried.map(({ input }) => [nextName(input.name), input.name] as const),
  );
  const program = await loadLoop(engine, step.loop, { carry });
  const copies = Object.entries({ ...state.tensors, ...frozen }).map(
    ([name, value]) => [name, { ...value, data: value.data.slice() }] as const,
  );
  await program.hold(Object.fromEntries(copies));
  return program;
}

/** Trains from `options.state` to the end; returns the final state. Throws `Interrupted` when the signal fires. */
export async function train(options: TrainOptions, frozen: Weights = {}): Promise<TrainingState> {
  const program = await loadStep(options, frozen);
  const { state, split, step } = options;
  const stored = state.stored;
  const source: FeedSource = { step, split, imageShape: options.imageShape, seed: options.seed, stored };
  const lastGood = state.epoch + state.batches > 0 ? placeOf(state.epoch, state.batches) : "none yet";
  const begun = performance.now();
  const chunkSize = runLimits.firstSteps;
  const stateBytes = bytesOf(state.tensors);
  const session: Session = {
    options,
    program,
    source,
    begun,
    chunkSize,
    stateBytes,
    lastSave: begun,
    lastGood,
  };
  const history = [...state.history];
  try {
    for (let epoch = state.epoch; epoch < options.epochs; epoch++) {
      const resumed = epoch === state.epoch;
      const sums = await trainEpoch(
        session,
        epoch,
        resumed ? state.batches : 0,
        resumed ? state.sums : {},
        history,
      );
      const metrics = Object.fromEntries(
        Object.entries(sums).map(([name, sum]) => [name, sum / split.count]),
      );
      const record = { epoch, learningRate: learningRateAt(options.schedule, epoch), metrics };
      history.push(record);
      options.onEpoch?.(record);
      const position = { epoch: epoch + 1, batches: 0, history, sums: {} };
      const due = performance.now() - session.lastSave >= (options.saveEvery ?? Infinity);
      const stopping = options.signal?.aborted === true && epoch + 1 < options.epochs;
      if (due || stopping) await saveNow(session, position);
      if (stopping) throw new Interrupted(options.name);
    }
    const tensors = await program.read(Object.keys(state.tensors));
    const seconds = secondsOf(session);
    return { epoch: options.epochs, batches: 0, tensors, stored, history, sums: {}, seconds };
  } finally {
    await program.release();
  }
}
