// What runs, audits and profiles leave behind, as schemas: results.json, audit.json, run.json, metrics.jsonl …
import { z } from "zod";
import { normNames } from "../threat/find.js";
import { activationRecord } from "./activations.js";

const share = z.number().min(0).max(1);

/** Accuracy of one classifier under one attack at one radius. */
export const robustRecord = z.strictObject({
  attack: z.string(),
  suite: z
    .string()
    .optional()
    .describe("the suite it was a stage of: it met what earlier stages left standing"),
  norm: z.enum(normNames),
  epsilon: z.number().min(0).describe("radius, input units"),
  accuracy: share.describe("share of the n images that stay rightly classified"),
  n: z.int().min(1),
  labels: z.enum(["true", "predicted"]).describe("labels the attack moves away from"),
  targeted: z.boolean().optional(),
  options: z.record(z.string(), z.unknown()).optional().describe("the attack's options, where it has any"),
});

/** How far the nearest adversarial points lie. */
const distanceRecord = z.strictObject({
  attack: z.string(),
  norm: z.enum(normNames),
  n: z.int().min(0).describe("images attacked: those rightly classified"),
  found: z.int().min(0).describe("images for which an adversarial point was found"),
  quantiles: z
    .record(z.enum(["least", "lower", "median", "upper", "most"]), z.number().min(0).nullable())
    .describe("of the distances, input units, over all n; null where none was found"),
  labels: z.enum(["true", "predicted"]),
  targeted: z.boolean().optional(),
  options: z.record(z.string(), z.unknown()).optional(),
});

/** Accuracy under corruptions, where any was asked for. */
const corruptionFields = {
  corruptions: z
    .array(
      z.strictObject({
        name: z.string(),
        severity: z.int().min(1).max(5),
        accuracy: share.describe("share of the n images classified rightly"),
        n: z.int().min(1),
      }),
    )
    .optional(),
  corruptionMeans: z
    .array(
      z.strictObject({
        over: z.string().describe("a corruption, or common or disturbances: all of these that were run"),
        records: z.int().min(1),
        accuracy: share.describe("mean over the records"),
      }),
    )
    .optional(),
  corruptionParameters: z
    .enum(["cifar-10-c", "tiny-imagenet-c", "imagenet-c"])
    .optional()
    .describe("whose published parameters the common corruptions have, by the size of the images"),
};

/** A doubt about an evaluation. */
const flagRecord = z.strictObject({
  name: z.string(),
  message: z.string().describe("what was seen, and the likely cause"),
  remedy: z.string(),
  balls: z
    .array(z.strictObject({ norm: z.enum(normNames), epsilon: z.number() }))
    .optional()
    .describe("what it is a doubt about; all figures where it is left out"),
});

const caseField = {
  case: z.string().optional().describe("which case of the recipe, where it has cases"),
};

export const resultRow = z.strictObject({
  ...caseField,
  method: z.string(),
  seed: z.int().min(0),
  options: z.record(z.string(), z.unknown()).describe("every option of the method, defaults included"),
  space: z
    .literal("preprocessed")
    .optional()
    .describe("ε and distances are of preprocessed images, without bounds; default of pixels in [0, 1]"),
  epochs: z.int().min(0).describe("epochs trained"),
  bestEpoch: z
    .int()
    .min(0)
    .optional()
    .describe(
      "of the lowest validation error, the first of equal ones, from 1; 0 where it was never a number",
    ),
  meanOfLast: z
    .strictObject({
      epochs: z.int().min(1),
      testError: share.describe("mean over these last epochs of the error after each"),
    })
    .optional(),
  clean: share.describe("accuracy on unperturbed test images"),
  top: z
    .array(z.strictObject({ k: z.int().min(2), accuracy: share }))
    .optional()
    .describe("share of the unperturbed test images whose label is among the k highest outputs"),
  robust: z.array(robustRecord),
  distances: z.array(distanceRecord).optional(),
  ...corruptionFields,
  activations: activationRecord.optional(),
  flags: z.array(flagRecord).optional(),
});

const smokeEntry = z
  .array(z.string())
  .optional()
  .describe(
    "of a smoke run, whose figures mean nothing: what it left out, or put in the place of the recipe's own",
  );

export const resultsFile = z.strictObject({
  schema: z.literal(1),
  dataset: z.string().describe("several, with commas between, where cases differ in it"),
  smoke: smokeEntry,
  rows: z.array(resultRow),
});

/** Passes through the model over the images that an attack met. */
const passes = z.strictObject({
  mean: z.number().min(0).describe("of an image"),
  most: z.int().min(0).describe("of an image"),
  total: z.int().min(0),
});

export const auditFile = z.strictObject({
  schema: z.literal(1),
  model: z.strictObject({
    file: z.string(),
    sha256: z.string(),
    inputShape: z.array(z.int()),
    classes: z.int(),
    parameters: z.int(),
    notes: z.array(z.string()),
  }),
  dataset: z.strictObject({
    name: z.string().describe("a dataset's name, or the path of a folder or archive"),
    split: z.string(),
    n: z.int().min(1),
    source: z.enum(["dataset", "folder", "npz"]).optional().describe("default dataset"),
    classNames: z.array(z.string()).optional().describe("in the model's order"),
    preprocessing: z
      .record(z.string(), z.unknown())
      .optional()
      .describe("what was done to the images before the model saw them; ε is measured in pixels in [0, 1]"),
    notes: z.array(z.string()).optional(),
  }),
  seed: z.int().min(0),
  mode: z.enum(["eval", "train"]).optional().describe("whether dropout drew its masks; default eval"),
  clean: share,
  robust: z.array(robustRecord),
  distances: z.array(distanceRecord),
  times: z.array(
    z.strictObject({
      attack: z.string(),
      suite: z.string().optional(),
      norm: z.enum(normNames),
      epsilon: z.number().min(0).nullable().describe("null for attacks that look for the nearest point"),
      seconds: z.number().min(0).describe("of the clock, on all engines together"),
    }),
  ),
  transferFrom: z
    .array(
      z.strictObject({
        file: z.string(),
        sha256: z.string(),
        notes: z.array(z.string()),
        preprocessing: z.record(z.string(), z.unknown()),
      }),
    )
    .optional()
    .describe("models on which points were crafted that were tried on this one"),
  budget: z
    .array(
      z.strictObject({
        ...robustRecord.omit({ accuracy: true }).shape,
        epsilon: z.number().min(0).nullable().describe("null for attacks that look for the nearest point"),
        n: z
          .int()
          .min(0)
          .describe("images attacked: those that stood; a suite's are those that its first stage met"),
        forward: passes.describe("passes from input to outputs: queries"),
        gradient: passes.describe("passes back from one cotangent of the outputs to the input"),
      }),
    )
    .optional()
    .describe("what attacks asked of the model, counted as they ran; a suite has the sums over its stages"),
  notTried: z.array(z.string()).describe("what was left out, in words"),
  ...corruptionFields,
  flags: z.array(flagRecord),
  identity: z.string().optional().describe("hash of all that decides the figures"),
  environment: z.record(z.string(), z.unknown()),
});

/** One epoch of one trial: a line of metrics.jsonl. */
export const metricsLine = z.strictObject({
  trial: z.string(),
  ...caseField,
  method: z.string(),
  seed: z.int(),
  epoch: z.int().min(1).describe("from 1"),
  learningRate: z.number(),
  metrics: z
    .record(z.string(), z.number())
    .describe(
      "means over the epoch's training batches; testError, validationError and robustAccuracy/… are of the weights after it",
    ),
});

/** Times of one trial, in seconds. */
const trialTimes = z.strictObject({
  training: z.number(),
  evaluation: z.number(),
  processor: z.number().nullable().optional().describe("of all processors, spent on training"),
});

/** Versions and machine that a result comes from. */
const environmentRecord = z.strictObject({
  temper: z.string(),
  commit: z.string().nullable(),
  node: z.string(),
  onnxruntime: z.string(),
  platform: z.string(),
  processor: z.string(),
  provider: z.string(),
  threads: z.int().describe("per engine"),
  jobs: z.int().describe("engines side by side"),
});

/** What a single trial comes from. */
export const trialEnvironment = environmentRecord.omit({ jobs: true });

/** The search of a method's options: all that was tried, and what was found. */
export const searchRecord = z.strictObject({
  ...caseField,
  method: z.string(),
  identity: z.string().describe("hash of all that decides what is found"),
  objective: z
    .union([
      z.literal("clean"),
      z.strictObject({
        ...robustRecord.pick({ attack: true, norm: true, epsilon: true }).shape,
        options: z.record(z.string(), z.unknown()),
      }),
    ])
    .describe("clean, or under which attack: accuracy on validation images, which is to be large"),
  images: z.int().min(1).describe("validation images that it is measured on"),
  seeds: z.array(z.int()).describe("that each candidate is trained with; its score is the mean over them"),
  draws: z
    .strictObject({ trials: z.int(), seed: z.int() })
    .nullable()
    .describe("how candidates were drawn; null where they are every combination of the values"),
  rungs: z.array(z.int()).describe("epochs after which candidates are compared"),
  eta: z.int().describe("one in so many goes on from a rung"),
  candidates: z.array(
    z.strictObject({
      values: z.record(z.string(), z.unknown()),
      scores: z
        .array(share.nullable())
        .describe("at each rung that it took part in; null where its training diverged"),
      pruned: z
        .int()
        .nullable()
        .describe("epochs of the rung from which it did not go on; null for those of the last rung"),
    }),
  ),
  found: z.int().min(0).describe("the best candidate, from 0"),
  seconds: z.number().describe("of all trainings"),
});

export const runFile = z.strictObject({
  schema: z.literal(1),
  kind: z.literal("temper-run"),
  name: z.string(),
  recipe: z.unknown().describe("the full recipe, defaults included"),
  identity: z.string().describe("hash of all that decides the results"),
  smoke: smokeEntry,
  environment: environmentRecord,
  started: z.string(),
  finished: z.string().nullable(),
  times: z.record(z.string(), trialTimes).describe("by trial"),
  searches: z.array(searchRecord).optional().describe("those that are done, where the recipe has any"),
});

const milliseconds = z.number().min(0).describe("milliseconds a step");

/** Several measurements of one thing. */
const spreadRecord = z.strictObject({ median: z.number(), low: z.number(), high: z.number() });

/** One ONNX node of a training step. */
const kernelRecord = z.strictObject({
  scope: z.string().describe("where in the graph it comes from: train/conv2/gradient/weight"),
  name: z.string().describe("its own name within the scope: Conv_282"),
  kind: z.string().describe("ONNX operator"),
  operation: z.string().nullable().describe("operation of the graph that it was written for"),
  calls: z.number().describe("a step"),
  milliseconds,
  multiplyAdds: z
    .number()
    .nullable()
    .describe(
      "of the operation, a step, at its longest kernel (0 at the others); null where none are declared",
    ),
});

export const profileFile = z.strictObject({
  schema: z.literal(1),
  kind: z.literal("temper-profile"),
  recipe: z.string().describe("the recipe's name"),
  method: z.string(),
  dataset: z.string().describe("whose shapes the images have; their pixels are random"),
  model: z.unknown(),
  optimizer: z.unknown(),
  batchSize: z.int(),
  environment: environmentRecord,
  measured: z.string().describe("when"),
  steps: z.strictObject({
    count: z.int().describe("steps measured, as often without the profiler"),
    perRun: z.int().describe("steps in one run of the engine"),
    training: z.int().describe("steps in one run while training"),
  }),
  product: z.strictObject({
    size: z.int().describe("rows and columns of the matrices whose product is the measure of speed"),
    gigaflops: spreadRecord.describe("GFLOP/s, two operations a multiply-add"),
  }),
  times: z.strictObject({
    plain: spreadRecord.describe("session.run without the profiler, milliseconds a step"),
    profiled: spreadRecord.describe("session.run with the profiler, milliseconds a step"),
    step: milliseconds.describe(
      "session.run without the profiler: mean of the middle half of the runs, as below",
    ),
    kernels: milliseconds.describe("inside kernels, the profiler's own work taken off"),
    kernelsAsProfiled: milliseconds.describe("inside kernels as the profiler says"),
    profilerPerCall: z.number().describe("milliseconds that are taken off each call as the profiler's own"),
    copies: milliseconds.describe("session.run outside ONNX Runtime's run: inputs in, state and results out"),
    between: milliseconds.describe("the rest of the step: the Loop's own work between kernels"),
    engine: milliseconds.describe("from the host's call to its answer, outside session.run"),
    host: milliseconds.describe(
      "the host's own work for the next run (batches, noise), beside a run while training",
    ),
  }),
  kernels: z.array(kernelRecord).describe("in the order in which they first ran"),
});

export type StepProfile = z.output<typeof profileFile>;
export type KernelRecord = z.output<typeof kernelRecord>;
export type TrialEnvironment = z.output<typeof trialEnvironment>;
export type SearchRecord = z.output<typeof searchRecord>;
export type RunFile = z.output<typeof runFile>;
export type BudgetRecord = NonNullable<z.output<typeof auditFile>["budget"]>[number];
export type RobustRecord = z.output<typeof robustRecord>;
export type FlagRecord = z.output<typeof flagRecord>;
export type ActivationRecord = z.output<typeof activationRecord>;
export type ResultRow = z.output<typeof resultRow>;
export type ResultsFile = z.output<typeof resultsFile>;
export type AuditFile = z.output<typeof auditFile>;
export type MetricsLine = z.output<typeof metricsLine>;

/** JSON schemas by the name of the file they describe. */
export const schemas = {
  results: resultsFile,
  audit: auditFile,
  metrics: metricsLine,
  run: runFile,
  profile: profileFile,
} as const;
