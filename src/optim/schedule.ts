// Learning rates by epoch, or by the training error of the epochs before.
import { z } from "zod";

const stallRule = z.strictObject({
  factor: z.number().min(0).max(1).default(0.5).describe("what a stall multiplies the rate by"),
  keep: z
    .number()
    .min(0)
    .max(0.9999999)
    .default(0.75)
    .describe("of the running mean after an epoch, in [0, 1)"),
  stalls: z.int().min(1).default(8).describe("stalls after which training ends"),
  least: z.number().min(0).default(1e-4).describe("running mean of the error at which training ends"),
});

export const scheduleSchema = z.union(
  [
    z.number().min(0),
    z.strictObject({
      initial: z.number().min(0).describe("until the first change"),
      at: z
        .record(z.string().regex(/^\d+$/), z.number().min(0))
        .describe("epoch (from 0): rate from then on"),
    }),
    z.strictObject({
      initial: z.number().min(0),
      decay: z.number().min(0).describe("factor after each `every` epochs"),
      every: z.int().min(1).default(1),
    }),
    z.strictObject({
      initial: z.number().min(0),
      cosine: z.int().min(1).describe("epochs in which the rate falls to 0 along half a cosine"),
    }),
    z.strictObject({
      initial: z.number().min(0),
      whenStalled: stallRule.describe("lower the rate when the training error stops falling"),
    }),
  ],
  {
    error:
      "expected a number, { initial, at: { epoch: rate } }, { initial, decay, every }, { initial, cosine } or { initial, whenStalled }",
  },
);

export type Schedule = z.output<typeof scheduleSchema>;

type StallRule = z.output<typeof stallRule>;

/**
 * m ← keep·m + (1 − keep)·error after each epoch, from m = 1; a stall is an error of at least m (ABP's rule, from
 * its author's code).
 */
function stallsIn(
  errors: readonly number[],
  { keep }: StallRule,
): { readonly mean: number; readonly stalls: number } {
  let [mean, stalls] = [1, 0];
  for (const error of errors) {
    mean = keep * mean + (1 - keep) * error;
    if (error >= mean) stalls++;
  }
  return { mean, stalls };
}

/** The learning rate in `epoch` (from 0) after epochs with these training `errors`, shares. */
export function learningRateAt(schedule: Schedule, epoch: number, errors: readonly number[]): number {
  if (typeof schedule === "number") return schedule;
  if ("decay" in schedule) return schedule.initial * schedule.decay ** Math.floor(epoch / schedule.every);
  if ("cosine" in schedule)
    return (schedule.initial * (1 + Math.cos(Math.PI * Math.min(1, epoch / schedule.cosine)))) / 2;
  if ("whenStalled" in schedule) {
    const { stalls } = stallsIn(errors.slice(0, epoch), schedule.whenStalled);
    return schedule.initial * schedule.whenStalled.factor ** stalls;
  }
  const changes = Object.entries(schedule.at).map(([from, rate]) => [Number(from), rate] as const);
  const passed = changes.filter(([from]) => from <= epoch).sort((a, b) => b[0] - a[0]);
  return passed[0]?.[1] ?? schedule.initial;
}

/** Whether the schedule ends training after epochs with these training `errors`. */
export function isOver(schedule: Schedule, errors: readonly number[]): boolean {
  if (typeof schedule === "number" || !("whenStalled" in schedule)) return false;
  const { mean, stalls } = stallsIn(errors, schedule.whenStalled);
  return stalls >= schedule.whenStalled.stalls || mean <= schedule.whenStalled.least;
}
