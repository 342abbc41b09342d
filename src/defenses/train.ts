// The training loop: epochs of chunks, one engine run each; the next chunk is read and prepared while one runs.
import { check, TemperError } from "../base/errors.js";
import { scalar, type Tensor } from "../base/tensor.js";
import { batchRanges, epochOrder } from "../data/batches.js";
import { imageSize, pixelsOf, type ImageShape, type AnySplit } from "../data/dataset.js";
import type { Weights } from "../nn/model.js";
import { nextName } from "../onnx/export.js";
import { isOver, learningRateAt, type Schedule } from "../optim/schedule.js";
import type { Engine, Program, Tensors } from "../runtime/engine.js";
import { loadLoop } from "../runtime/load.js";
import { feedsFor, storeResults, type Chunk, type FeedSource } from "./feeds.js";
import type { Monitor } from "./monitor.js";
import { bytesOf, runLimits, stepsPerRun, type StepBytes } from "./run-limits.js";
import { bestEpoch, hasStopped, type EarlyStopping } from "./selection.js";
import { startWatch, type Spent, type Stopwatch } from "./stopwatch.js";
import type { TrainStep } from "./train-step.js";
import type { EpochRecord, TrainingState } from "./training-state.js";

export interface Progress {
  readonly epoch: number;
  readonly epochs: number;
  /** Samples seen in this epoch, of `count`. */
  readonly seen: number;
  readonly count: number;
  readonly loss: number;
  /** Over the part of the epoch that was trained since it began or was continued, saving left out. */
  readonly imagesPerSecond: number;
}

export interface TrainOptions {
  readonly engine: Engine;
  readonly step: TrainStep;
  readonly split: AnySplit;
  readonly imageShape: ImageShape;
  /** At most so many: the schedule or `earlyStopping` may end training before. */
  readonly epochs: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly schedule: Schedule;
  readonly state: TrainingState;
  /** Named in error messages. */
  readonly name: string;
  /** Measures the weights after each epoch; the two below need its `validationError`. */
  readonly monitor?: Monitor;
  /** End with the weights of the lowest validation error, the first of equal ones; default false. */
  readonly restoreBest?: boolean;
  readonly earlyStopping?: EarlyStopping;
  readonly onProgress?: (progress: Progress) => void;
  readonly onEpoch?: (record: EpochRecord) => void;
  /** Called every `saveEvery` milliseconds and when the signal fires. */
  readonly save?: (state: TrainingState) => Promise<void>;
  readonly saveEvery?: number;
  readonly signal?: AbortSignal;
  /** Keeps the first so many inputs as they are after each of the first epochs; for defences that move them. */
  readonly snapshots?: { readonly images: number; readonly epochs: number };
}

/** The training stopped because it was asked to, with its state saved. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** The loss is no longer a finite number. */
export class Diverged extends TemperError {
  constructor(
    message: string,
    /** The epoch it happened in, from 1. */
    readonly epoch: number,
  ) {
    super(message);
  }
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
  readonly watch: Stopwatch;
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

type Position = Omit<TrainingState, "tensors" | "stored" | "perSample" | keyof Spent>;

const errorsOf = (history: readonly EpochRecord[]): number[] =>
  history.map(({ metrics }) => metrics["error"] ?? NaN);

async function saveNow(session: Session, position: Position): Promise<void> {
  const { options, program, source } = session;
  const tensors = await program.read(Object.keys(options.state.tensors));
  session.lastSave = performance.now();
  // Weights may be lost one step before the loss shows it: such a state is no good to continue from.
  if (!options.save || !Object.values(tensors).every(isFinite)) return;
  const { stored, perSample } = source;
  await options.save({ ...position, tensors, stored, perSample, ...session.watch.spent() });
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

/** A run under way, and when it began. */
interface Running {
  readonly results: Promise<Tensors>;
  readonly begun: number;
}

/** Trains the rest of an epoch; returns its sums. */
async function trainEpoch(session: Session, start: Position): Promise<Record<string, number>> {
  const { options, program, source } = session;
  const { epoch, history } = start;
  const order = epochOrder(options.split.count, { seed: options.seed, epoch });
  const total = batchRanges(order.length, options.batchSize).length;
  const sums = { ...start.sums };
  const constants = (): Tensors => ({
    learningRate: scalar(learningRateAt(options.schedule, epoch, errorsOf(history))),
    ...Object.fromEntries(
      Object.entries(options.step.scalars(epoch)).map(([name, value]) => [name, scalar(value)]),
    ),
  });
  let done = start.batches;
  const prepare = async (from: number): Promise<Prepared | null> => {
    if (from >= total) return null;
    const chunk = nextChunk(order, options, epoch, from, session.chunkSize);
    return { chunk, feeds: { ...(await feedsFor(source, chunk)), ...constants() } };
  };
  const begin = (prepared: Prepared | null): Running | null => {
    if (prepared === null) return null;
    const begun = performance.now();
    const results = program.run(prepared.feeds);
    // Where something else fails first, nobody waits for this run.
    results.catch(() => undefined);
    return { results, begun };
  };
  const watch = startWatch({ seconds: 0, processorSeconds: null });
  let current = await prepare(done);
  let running = begin(current);
  while (current !== null && running !== null) {
    const { chunk } = current;
    const steps = chunk.indices.length / chunk.batchSize;
    const { results: promised, begun } = running;
    // Rows of one epoch are visited once, so what a run moves is not among what the next one reads.
    const [following, results] = await Promise.all([prepare(done + steps), promised]);
    const milliseconds = performance.now() - begun;
    const due = performance.now() - session.lastSave >= (options.saveEvery ?? Infinity);
    const stopping = options.signal?.aborted === true;
    const pausing = done + steps < total && (due || stopping);
    // The engine goes on while the results are booked, unless its state is to be read.
    running = pausing ? null : begin(following);
    const inputs = (source.stored ? 4 : 1) * chunk.batchSize * imageSize(options.imageShape);
    adapt(session, milliseconds / steps, { inputs, state: session.stateBytes });
    const refuse = (index: number, loss: number): never => {
      const batch = `batch ${done + index + 1} of ${total}`;
      throw new Diverged(
        `${options.name}: the loss is ${loss} in epoch ${epoch + 1}, ${batch}; last good checkpoint: ${session.lastGood}`,
        epoch + 1,
      );
    };
    accumulate(sums, storeResults(source, results, chunk), chunk.batchSize, refuse);
    done += steps;
    const seen = Math.min(done * options.batchSize, order.length);
    options.onProgress?.({
      epoch,
      epochs: options.epochs,
      seen,
      count: order.length,
      loss: (sums["loss"] ?? 0) / seen,
      imagesPerSecond: (seen - start.batches * options.batchSize) / watch.spent().seconds,
    });
    if (pausing) {
      await watch.pause(() => saveNow(session, { ...start, batches: done, sums }));
      if (stopping) throw new Interrupted(options.name);
      running = begin(following);
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

/** What the monitor finds after the epoch that `record` is of; its time does not count as training. */
async function measured(session: Session, record: EpochRecord): Promise<EpochRecord> {
  const { options, program } = session;
  const { monitor } = options;
  if (!monitor) return record;
  const found = await session.watch.pause(() =>
    monitor.measure(record.epoch, () => program.read(weightNames(options))),
  );
  return { ...record, metrics: { ...record.metrics, ...found } };
}

/** Names of the trained parameters and the buffers. */
function weightNames({ state, step }: TrainOptions): string[] {
  const others = new Set(["step", ...step.slots.map(({ name }) => name)]);
  return Object.keys(state.tensors).filter((name) => !others.has(name));
}

/** Whether training ends here, before its last epoch. */
const endsEarly = ({ schedule, earlyStopping }: TrainOptions, history: readonly EpochRecord[]): boolean =>
  isOver(schedule, errorsOf(history)) || (earlyStopping !== undefined && hasStopped(history, earlyStopping));

/** The first stored inputs as they are after `epoch`, where they are to be kept. */
function snapshotAfter({ options, source }: Session, epoch: number): Float32Array[] {
  const { images, epochs } = options.snapshots ?? { images: 0, epochs: 0 };
  if (source.stored === null || epoch >= epochs) return [];
  return [source.stored.slice(0, images * imageSize(options.imageShape))];
}

/** Gives weights and statistics the values that the model's rule has for them after `epoch`. */
async function applyRule({ options, program }: Session, epoch: number): Promise<void> {
  const { betweenEpochs } = options.step;
  if (!betweenEpochs) return;
  const weights = await program.read(weightNames(options));
  await program.hold(betweenEpochs(weights, (epoch + 1) / options.epochs));
}

/** Trains the rest of the epoch at `position`; returns where the next one begins. */
async function nextEpoch(session: Session, position: Position): Promise<Position> {
  const { options, program } = session;
  const { epoch } = position;
  const sums = await trainEpoch(session, position);
  await applyRule(session, epoch);
  const means = Object.entries(sums).map(([name, sum]) => [name, sum / options.split.count] as const);
  const learningRate = learningRateAt(options.schedule, epoch, errorsOf(position.history));
  const record = await measured(session, { epoch, learningRate, metrics: Object.fromEntries(means) });
  options.onEpoch?.(record);
  const history = [...position.history, record];
  const isBest = options.restoreBest === true && bestEpoch(history) === epoch;
  const best = isBest ? { epoch, tensors: await program.read(weightNames(options)) } : position.best;
  const snapshots = [...position.snapshots, ...snapshotAfter(session, epoch)];
  return { epoch: epoch + 1, batches: 0, history, sums: {}, best, snapshots };
}

/** Throws unless the images come as the step takes them: bytes are no values of another scale. */
function checkImages({ step, split, name }: TrainOptions): void {
  const words = { uint8: "images as bytes", float32: "images as values" };
  const isRead = !step.movesInputs || step.needsOriginals;
  check(!isRead || pixelsOf(split) === step.pixels, name, words[step.pixels], () => words[pixelsOf(split)]);
}

/** Trains from `options.state` to the end; returns the final state. Throws `Interrupted` when the signal fires. */
export async function train(options: TrainOptions, frozen: Weights = {}): Promise<TrainingState> {
  checkImages(options);
  const program = await loadStep(options, frozen);
  const { state, split, step } = options;
  const { stored, perSample, epoch, batches, history, sums, best, snapshots } = state;
  const { imageShape, seed } = options;
  const session: Session = {
    options,
    program,
    source: { step, split, imageShape, seed, stored, perSample, spare: [] },
    watch: startWatch(state),
    chunkSize: runLimits.firstSteps,
    stateBytes: bytesOf(state.tensors),
    lastSave: performance.now(),
    lastGood: epoch + batches > 0 ? placeOf(epoch, batches) : "none yet",
  };
  const goesOn = (at: Position): boolean => at.epoch < options.epochs && !endsEarly(options, at.history);
  let position: Position = { epoch, batches, history, sums, best, snapshots };
  try {
    while (goesOn(position)) {
      position = await nextEpoch(session, position);
      const due = performance.now() - session.lastSave >= (options.saveEvery ?? Infinity);
      const stopping = options.signal?.aborted === true && goesOn(position);
      if (due || stopping) await saveNow(session, position);
      if (stopping) throw new Interrupted(options.name);
    }
    const tensors = await program.read(Object.keys(state.tensors));
    const restored = { ...tensors, ...position.best?.tensors };
    return { ...position, tensors: restored, stored, perSample, ...session.watch.spent() };
  } finally {
    await program.release();
  }
}
