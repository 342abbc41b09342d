// Learning rates by epoch.
import { z } from "zod";

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
  ],
  { error: "expected a number, { initial, at: { epoch: rate } } or { initial, decay, every }" },
);

export type Schedule = z.output<typeof scheduleSchema>;

/** The learning rate in `epoch` (from 0). */
export function learningRateAt(schedule: Schedule, epoch: number): number {
  if (typeof schedule === "number") return schedule;
  if ("decay" in schedule) return schedule.initial * schedule.decay ** Math.floor(epoch / schedule.every);
  const changes = Object.entries(schedule.at).map(([from, rate]) => [Number(from), rate] as const);
  const passed = changes.filter(([from]) => from <= epoch).sort((a, b) => b[0] - a[0]);
  return passed[0]?.[1] ?? schedule.initial;
}
