// Where a training step spends its time: the step of a recipe's method, run in turns with and without the profiler.
import { check } from "../base/errors.js";
import { floats, type Tensor } from "../base/tensor.js";
import { imageSize } from "../data/index.js";
import { bytesOf, stepsPerRun, type StepBytes } from "../defenses/run-limits.js";
import { graphFunction } from "../graph/function.js";
import { input } from "../graph/node.js";
import { exportFunction, nextName } from "../onnx/export.js";
import { matmul } from "../ops/matmul.js";
import type { Engine, Measurement, Program, Tensors } from "../runtime/engine.js";
import { workerEngine } from "../runtime/worker-engine.js";
import { environment } from "./environment.js";
import { attribute } from "./kernels.js";
import { feeder, subjectOf, type Subject } from "./profile-subject.js";
import type { RecipeFile } from "./cases.js";
import type { StepProfile } from "./records.js";

export interface ProfileOptions {
  readonly recipe: RecipeFile;
  /** Which method; default the only one. */
  readonly method?: string | undefined;
  /** Steps to measure; default about two seconds' worth. */
  readonly steps?: number | undefined;
  /** Default the recipe's. */
  readonly threads?: number | undefined;
  /** Default: one of its own. */
  readonly engine?: Engine;
  readonly onProgress?: (done: number, rounds: number) => void;
}

/** Each run is one of many, but a profile's events (650 bytes each) must fit into memory. */
const maxEvents = 200_000;
const defaultMilliseconds = 2000;
const minRounds = 8;
const productSize = 1024;

const copyOf = (values: Tensors): Tensors =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { ...value, data: value.data.slice() }]),
  );

async function loadStep(engine: Engine, { step, file, held }: Subject, measure: "runs" | "kernels") {
  const carry = Object.fromEntries(step.loop.carried.map(({ input: { name } }) => [nextName(name), name]));
  const program = await engine.load(file, { carry, measure });
  await program.hold(copyOf(held));
  return program;
}

/** A product of two square matrices, whose kernel alone counts: its result is not what is to be measured. */
async function loadProduct(engine: Engine): Promise<Program> {
  const shape = [productSize, productSize];
  const [a, b] = [input("a", shape), input("b", shape)];
  const file = exportFunction(graphFunction("product", [a, b], { c: matmul(a, b) }));
  const program = await engine.load(file, { measure: "kernels" });
  const values = (): Tensor => floats(shape, new Float32Array(productSize ** 2).fill(0.5));
  await program.hold({ a: values(), b: values() });
  return program;
}

/** Milliseconds that `work` takes. */
async function timed(work: () => unknown): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

const spread = (values: readonly number[]): StepProfile["times"]["plain"] => {
  const ordered = sorted(values);
  const [low = 0, high = 0] = [ordered[0], ordered.at(-1)];
  return { median: ordered[Math.floor(ordered.length / 2)] ?? 0, low, high };
};

/** Indices of the middle half by value: what else the machine did now and then is left out. */
function middleHalf(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const cut = Math.floor(values.length / 4);
  return order.slice(cut, values.length - cut);
}

const meanOf = (values: readonly number[], which: readonly number[]): number =>
  which.reduce((sum, i) => sum + (values[i] ?? 0), 0) / Math.max(1, which.length);

/** Rounds of so many steps each. */
interface Plan {
  readonly perRun: number;
  readonly rounds: number;
  readonly training: number;
}

function planOf(milliseconds: number, kernels: number, wanted: number | undefined, bytes: StepBytes): Plan {
  const training = stepsPerRun(milliseconds, bytes);
  const most = Math.max(1, Math.floor(maxEvents / kernels));
  if (wanted !== undefined)
    check(wanted <= most, "profile: steps", `at most ${most} for a step of ${kernels} kernels`, () =>
      String(wanted),
    );
  const count = wanted ?? Math.min(most, Math.max(minRounds, Math.round(defaultMilliseconds / milliseconds)));
  const perRun = Math.max(1, Math.min(training, Math.floor(count / minRounds)));
  return { perRun, rounds: Math.max(1, Math.floor(count / perRun)), training };
}

/** What was measured in each round, first rounds (which warm caches and memory) left out. */
interface Rounds {
  readonly plain: Measurement;
  readonly profiled: Measurement;
  readonly product: Measurement;
  readonly host: readonly number[];
  readonly answers: readonly number[];
}

async function runRounds(
  programs: { readonly plain: Program; readonly profiled: Program; readonly product: Program },
  feeds: () => Promise<Tensors>,
  rounds: number,
  onRound: (done: number) => void,
): Promise<Rounds> {
  const { plain, profiled, product } = programs;
  const [host, answers]: [number[], number[]] = [[], []];
  const turn = async (program: Program): Promise<number> => {
    let fed: Tensors = {};
    host.push(await timed(async () => (fed = await feeds())));
    return timed(() => program.run(fed));
  };
  for (let round = 0; round <= rounds; round++) {
    onRound(round);
    await product.run({});
    const order = round % 2 === 0 ? [plain, profiled] : [profiled, plain];
    for (const program of order) {
      const answer = await turn(program);
      if (program === plain) answers.push(answer);
    }
  }
  const last = <T>(values: readonly T[]): readonly T[] => values.slice(-rounds);
  return {
    plain: await plain.measured(),
    profiled: await profiled.measured(),
    product: await product.measured(),
    host: last(host),
    answers: last(answers),
  };
}

/** Milliseconds of a step, from the second run of one. A loop ends at a loss that is not finite, so there must be none. */
async function warmUp(program: Program, feeds: () => Promise<Tensors>): Promise<number> {
  const { loss } = await program.run(await feeds());
  const value = Number(loss?.data[0]);
  check(Number.isFinite(value), "profile", "a finite loss from fresh weights", () => String(value));
  return timed(async () => program.run(await feeds()));
}

/** Times by round and by kernel as a record. */
function summary(
  { plain, profiled, product, host, answers }: Rounds,
  { perRun, rounds }: Plan,
  subject: Subject,
) {
  const { inside = [], kernels = [] } = profiled.profile ?? {};
  const skipped = inside.length - rounds;
  const walls = profiled.runs.slice(skipped);
  const plainRuns = plain.runs.slice(-rounds);
  const middle = middleHalf(walls);
  const runs = middle.map((i) => i + skipped);
  const step = meanOf(plainRuns, middleHalf(plainRuns)) / perRun;
  const copies = Math.max(0, meanOf(walls, middle) - meanOf(inside, runs)) / perRun;
  const found = attribute(kernels, {
    written: subject.written,
    batchSize: subject.batchSize,
    runs,
    stepsPerRun: perRun,
    runCount: inside.length,
    room: step - copies,
  });
  const inKernels = found.kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const perStep = (values: readonly number[]): number[] => values.map((value) => value / perRun);
  const answering = perStep(answers.map((answer, i) => answer - (plainRuns[i] ?? 0)));
  const products = product.profile?.kernels[0]?.milliseconds.slice(-rounds) ?? [];
  return {
    product: {
      size: productSize,
      gigaflops: spread(products.map((ms) => (2 * productSize ** 3) / ms / 1e6)),
    },
    times: {
      plain: spread(perStep(plainRuns)),
      profiled: spread(perStep(walls)),
      step,
      kernels: inKernels,
      kernelsAsProfiled: found.asProfiled,
      profilerPerCall: found.profilerPerCall,
      copies,
      between: Math.max(0, step - copies - inKernels),
      engine: Math.max(0, spread(answering).median),
      host: spread(perStep(host)).median,
    },
    kernels: [...found.kernels],
  };
}

/** Where the time of a subject's step goes, in `engine`. */
export async function profileSubject(
  subject: Subject,
  classes: number,
  { engine, steps, onProgress }: Pick<ProfileOptions, "steps" | "onProgress"> & { readonly engine: Engine },
): Promise<Pick<StepProfile, "batchSize" | "steps" | "product" | "times" | "kernels">> {
  const feeds = feeder(subject, classes);
  const loaded: Program[] = [];
  const held = async (program: Promise<Program>): Promise<Program> => {
    loaded.push(await program);
    return program;
  };
  try {
    const plain = await held(loadStep(engine, subject, "runs"));
    const milliseconds = await warmUp(plain, feeds(1));
    const inputs = (subject.step.movesInputs ? 4 : 1) * subject.batchSize * imageSize(subject.imageShape);
    const bytes = { inputs, state: bytesOf(subject.held) };
    const plan = planOf(milliseconds, subject.written.length, steps, bytes);
    const profiled = await held(loadStep(engine, subject, "kernels"));
    const product = await held(loadProduct(engine));
    const programs = { plain, profiled, product };
    const rounds = await runRounds(programs, feeds(plan.perRun), plan.rounds, (done) =>
      onProgress?.(done, plan.rounds),
    );
    const count = plan.perRun * plan.rounds;
    return {
      batchSize: subject.batchSize,
      steps: { count, perRun: plan.perRun, training: plan.training },
      ...summary(rounds, plan, subject),
    };
  } finally {
    await Promise.all(loaded.map((program) => program.release()));
  }
}

/** Profiles the training step of a method on images of random pixels; throws where the method is not in the recipe. */
export async function profileStep(options: ProfileOptions): Promise<StepProfile> {
  const threads = options.threads ?? options.recipe.threads;
  const engine = options.engine ?? workerEngine({ threads });
  try {
    const { recipe, method, dataset, subject, classes } = subjectOf(
      options.recipe,
      options.method,
      await engine.target(),
    );
    const measured = await profileSubject(subject, classes, { ...options, engine });
    return {
      schema: 1,
      kind: "temper-profile",
      recipe: recipe.name,
      method,
      dataset,
      model: recipe.model,
      optimizer: recipe.training.optimizer,
      environment: environment({ provider: engine.provider, threads, jobs: 1 }),
      measured: new Date().toISOString(),
      ...measured,
    };
  } finally {
    if (options.engine === undefined) await engine.close();
  }
}
