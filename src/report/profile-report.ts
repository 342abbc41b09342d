// The report of a profile: a page of its own, and blocks for the report of a run.
import type { StepProfile } from "../experiments/records.js";
import { heading, paragraph, type Block, type Fact, type ReportDocument } from "./document.js";
import type { Figure } from "./figure.js";
import { kernelTable, kindTable, layerTable, passTable, shareText, timeText } from "./profile-tables.js";
import { plural } from "./text.js";

/** What the named kernels explain, and what the profiler itself costs, in sentences. */
export function profileNotes({ times, steps, kernels }: StepProfile): string[] {
  const { plain, profiled, step } = times;
  const calls = kernels.reduce((sum, kernel) => sum + kernel.calls, 0);
  const ms = (value: number): string => `${timeText(value, step)} ms`;
  const range = ({ median, low, high }: typeof plain): string =>
    `${ms(median)} (${timeText(low, step)}–${timeText(high, step)})`;
  const added = profiled.median / plain.median - 1;
  return [
    `Named kernels explain ${shareText(times.kernels / step)} of the step (they come from other runs than the whole, so the sum may miss it by the machine's noise). Outside session.run: ${ms(times.engine)} between host and engine; the host's own ${ms(times.host)} for batches and noise pass beside a run while training.`,
    `A step takes ${range(plain)} without the profiler and ${range(profiled)} with it (${added < 0 ? "−" : "+"}${shareText(Math.abs(added))}); ${(1000 * times.profilerPerCall).toFixed(1)} µs of the profiler's own are taken off each of ${calls.toFixed(0)} kernel calls. As the profiler says it, kernels take ${shareText(times.kernelsAsProfiled / profiled.median)} of its step.`,
    `Measured over ${plural(steps.count, "step")}, ${steps.perRun} a run (training takes ${steps.training} a run).`,
  ];
}

function conditions(profile: StepProfile): Fact[] {
  const { environment: env, product, batchSize, dataset, measured } = profile;
  const { median, low, high } = product.gigaflops;
  return [
    ["Inputs", `random images of the shape of ${dataset}, batch ${batchSize}; learning rate 0`],
    ["Engine", `ONNX Runtime ${env.onnxruntime}, ${env.provider}, ${plural(env.threads, "thread")}`],
    ["Machine", `${env.processor}, ${env.platform}`],
    [
      "Product",
      `${product.size} × ${product.size} × ${product.size} in turns with the step: ${median.toFixed(0)} (${low.toFixed(0)}–${high.toFixed(0)}) GFLOP/s; "of product" is a share of that`,
    ],
    ["Versions", `Temper ${env.temper} (${env.commit ?? "no commit"}), Node ${env.node}`],
    ["Measured", measured],
  ];
}

const tablesOf = (profile: StepProfile): Block[] =>
  [
    ["By pass", passTable(profile)] as const,
    ["By layer", layerTable(profile, 24)] as const,
    ["By operator", kindTable(profile, 16)] as const,
    ["By kernel", kernelTable(profile, 20)] as const,
  ].flatMap(([title, table]) => [heading(3, title), { kind: "table", table }]);

/** The page of a profile. */
export const profileDocument = (profile: StepProfile, figure: Figure): ReportDocument => ({
  title: `Profile of ${profile.recipe}: ${profile.method}`,
  lead: `A training step of ${profile.method} takes ${timeText(profile.times.step, profile.times.step)} ms for a batch of ${profile.batchSize}.`,
  blocks: [
    ...profileNotes(profile).map(paragraph),
    { kind: "figure", figure },
    ...tablesOf(profile),
    heading(3, "Conditions"),
    { kind: "facts", facts: conditions(profile) },
  ],
});

/** What a run's report folds away about a profile. */
export const profileDetails = (profile: StepProfile): Block => ({
  kind: "details",
  summary: `Profile of a step of ${profile.method}`,
  blocks: [
    ...profileNotes(profile).map(paragraph),
    ...tablesOf(profile),
    { kind: "facts", facts: conditions(profile) },
  ],
});
