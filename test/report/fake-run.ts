// A run as the quickstart leaves it behind, with made-up figures and images of simple shapes.
import type { AuditFile, MetricsLine, ResultRow, RobustRecord } from "../../src/experiments/records.js";
import type { Gallery, RunRecord } from "../../src/experiments/run-record.js";

const methods = ["standard", "sgm", "adversarial-backprop", "sign-noise", "jacobian-penalty"] as const;

/** Accuracy at ε 0, falling with ε at the method's own rate. */
const rates: Readonly<Record<string, number>> = {
  standard: 9,
  sgm: 5.5,
  "adversarial-backprop": 0.9,
  "sign-noise": 7,
  "jacobian-penalty": 2.4,
};

const options: Readonly<Record<string, Record<string, unknown>>> = {
  sgm: { lambda: 0.2, gradientScale: "batch-mean" },
  "adversarial-backprop": { epsilon: 0.08, clip: false, noise: "shared" },
  "sign-noise": { epsilon: 0.5, probability: 0.5, sites: ["input"] },
  "jacobian-penalty": { lambda: 25, form: "exact", of: "probabilities", reduction: "mean" },
};

const share = (value: number): number => Math.round(Math.min(Math.max(value, 0), 1) * 1e4) / 1e4;

function accuracy(method: string, attack: string, epsilon: number, seed: number): number {
  const rate = (rates[method] ?? 4) * (attack === "pgd" ? 1.25 : 1);
  return share(0.983 * Math.exp(-((rate * epsilon) ** 1.6)) + 0.002 * Math.sin(7 * seed + 3 * rate));
}

const attacks = [
  { attack: "fgsm", epsilons: [0.05, 0.1, 0.2, 0.3], options: {} },
  { attack: "pgd", epsilons: [0.1], options: { steps: 20, randomStart: true, restarts: 1 } },
] as const;

const robustOf = (method: string, seed: number): RobustRecord[] =>
  attacks.flatMap(({ attack, epsilons, options }) =>
    epsilons.map((epsilon) => ({
      attack,
      norm: "linf" as const,
      epsilon,
      accuracy: accuracy(method, attack, epsilon, seed),
      n: 10000,
      labels: "true" as const,
      options,
    })),
  );

const rowOf = (method: string, seed: number): ResultRow => ({
  method,
  seed,
  options: options[method] ?? {},
  epochs: 10,
  clean: share(accuracy(method, "none", 0, seed)),
  robust: robustOf(method, seed),
});

function metricsOf(method: string, seed: number): MetricsLine[] {
  return Array.from({ length: 10 }, (_, i) => {
    const error =
      (0.09 * (method === "adversarial-backprop" ? 2 : 1)) / (i + 1) ** (1.2 + (rates[method] ?? 1) / 20);
    const metrics = { loss: error * 3.1, error: error * (1 + 0.02 * Math.sin(5 * i + seed)) };
    return { trial: `${method}-${seed}`, method, seed, epoch: i + 1, learningRate: 0.1, metrics };
  });
}

const side = 28;

/** A ring, a bar, a cross, … of soft edge: eight shapes in place of digits. */
function shape(kind: number): Float32Array {
  const distance: readonly ((x: number, y: number) => number)[] = [
    (x, y) => Math.abs(Math.hypot(x, y * 0.8) - 6),
    (x) => Math.abs(x),
    (x, y) => Math.min(Math.abs(x), Math.abs(y)),
    (x, y) => Math.abs(Math.abs(x) + Math.abs(y) - 8),
    (x, y) => Math.min(Math.abs(x - y), Math.abs(x + y)) * 0.7,
    (x, y) => Math.abs(Math.max(Math.abs(x), Math.abs(y)) - 7),
    (x, y) => Math.min(Math.abs(y + 6), Math.abs(x - y * 0.4)),
    (x, y) => Math.abs(y - 0.12 * x * x + 4),
  ];
  return Float32Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [(i % side) - 13.5, Math.floor(i / side) - 13.5];
    if (Math.hypot(x, y) > 11) return 0;
    return Math.min(Math.max(2.2 - (distance[kind % 8]?.(x, y) ?? 9), 0), 1);
  });
}

/** A wavy sign pattern, as FGSM's perturbations are. */
const wave = (i: number, phase: number): number =>
  Math.sign(Math.sin(((i % side) + phase) * 0.9) + Math.cos((Math.floor(i / side) - phase) * 0.7));

function galleryOf(method: string, m: number, epsilon: number): Gallery {
  const originals = new Float32Array(8 * side * side);
  for (let k = 0; k < 8; k++) originals.set(shape(k), k * side * side);
  const moved = originals.map((value, i) => Math.min(Math.max(value + epsilon * wave(i, m + i / 784), 0), 1));
  const labels = Int32Array.from({ length: 8 }, (_, k) => k);
  const fooled = Math.round((rates[method] ?? 0) * 0.9);
  const features = Float32Array.from({ length: 40 * side * side }, (_, i) => {
    const [f, x, y] = [Math.floor(i / 784), (i % side) - 14, (Math.floor(i / side) % side) - 14];
    const window = Math.exp(-(x * x + y * y) / (30 + 10 * m));
    return (
      0.3 * window * Math.sin(x * Math.cos(f) * 0.6 + y * Math.sin(f) * 0.6 + f) +
      0.02 * Math.sin(i * 12.9898)
    );
  });
  return {
    trial: `${method}-0`,
    method,
    seed: 0,
    imageShape: [1, side, side],
    attack: { attack: "fgsm", norm: "linf", epsilon },
    originals,
    adversarial: moved,
    labels,
    predictions: labels.map((label, k) => (m === 3 && k === 5 ? 6 : label)),
    adversarialPredictions: labels.map((label, k) => (k < fooled ? (label + 3) % 10 : label)),
    features: { shape: [40, side, side], values: features, total: 400 },
  };
}

export interface FakeOptions {
  readonly names?: readonly string[];
  readonly seeds?: readonly number[];
}

/** A finished run of `names` over `seeds`. */
export function fakeRun({ names = methods, seeds = [0] }: FakeOptions = {}): RunRecord {
  const trials = names.flatMap((method) => seeds.map((seed) => ({ method, seed })));
  return {
    correct: {},
    run: {
      schema: 1,
      kind: "temper-run",
      name: "quickstart",
      recipe: {
        name: "quickstart",
        dataset: "mnist",
        model: { name: "mlp", options: { hidden: [400, 400], activation: "relu" } },
        training: { optimizer: { name: "sgd", options: {} }, learningRate: 0.1, batchSize: 32, epochs: 10 },
        seeds,
        methods: names.map((name) => ({ name, defenses: [{ name, options: options[name] ?? {} }] })),
        evaluation: { labels: "true", seed: 0, batchSize: 100, examples: 8 },
      },
      identity: "8d0c41b7",
      environment: {
        temper: "0.1.0",
        commit: "0123456789abcdef0123456789abcdef01234567",
        node: "22.13.0",
        onnxruntime: "1.30.0",
        platform: "linux-x64",
        processor: "Example Processor 3000 @ 2.50GHz",
        provider: "cpu",
        threads: 1,
        jobs: 2,
      },
      started: "2026-01-02T03:04:05.000Z",
      finished: "2026-01-02T03:07:25.000Z",
      times: Object.fromEntries(
        trials.map(({ method, seed }, i) => [
          `${method}-${seed}`,
          { training: 31.4 + 10 * i, evaluation: 5.2 + i },
        ]),
      ),
    },
    results: { schema: 1, dataset: "mnist", rows: trials.map(({ method, seed }) => rowOf(method, seed)) },
    metrics: trials.flatMap(({ method, seed }) => metricsOf(method, seed)),
    galleries: names.map((method, m) => galleryOf(method, m, 0.1)),
    inputUpdates: [],
    contrasts: [],
    profiles: [],
  };
}

/** An audit with a doubt. */
export function fakeAudit(): AuditFile {
  const robust = robustOf("standard", 0).map((record) =>
    record.attack === "pgd" ? { ...record, accuracy: 0.6543 } : record,
  );
  return {
    schema: 1,
    model: {
      file: "models/standard.onnx",
      sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      inputShape: [1, 28, 28],
      classes: 10,
      parameters: 478410,
      notes: ["a trailing Softmax was taken off: its input is read as logits"],
    },
    dataset: { name: "mnist", split: "test", n: 10000 },
    seed: 0,
    clean: 0.9812,
    robust,
    distances: [
      {
        attack: "deepfool",
        norm: "l2",
        n: 9812,
        found: 9800,
        quantiles: { least: 0.02, lower: 0.8, median: 1.21, upper: 1.9, most: null },
        labels: "true",
      },
    ],
    times: [
      { attack: "pgd", norm: "linf", epsilon: 0.1, seconds: 71.25 },
      { attack: "deepfool", norm: "l2", epsilon: null, seconds: 12.5 },
    ],
    budget: robust.map(({ accuracy: _, ...about }, i) => ({
      ...about,
      n: 9812,
      forward: { mean: 12.25 + i, most: 20 + i, total: 120_197 + 9812 * i },
      gradient: { mean: 11.25, most: 20, total: 110_385 },
    })),
    notTried: ["attacks without gradients (square)", "all but the first 2,000 of 10,000 images"],
    flags: [
      {
        name: "weak-iterative",
        message: "PGD-20 leaves more images standing than FGSM at ε 0.1: the gradient may be masked",
        remedy: "run a black-box attack, or PGD with more steps and restarts",
      },
    ],
    environment: {
      temper: "0.1.0",
      onnxruntime: "1.30.0",
      provider: "cpu",
      threads: 2,
      jobs: 1,
      commit: null,
    },
  };
}
