// What Temper's own files say about their parameters, so that an import knows their roles again.
import { z } from "zod";
import type { Model, Role } from "./model.js";

/** Key of the record in a file's metadata. */
export const recordKey = "temper.parameters";

const record = z.array(
  z.object({
    name: z.string(),
    role: z.enum(["weight", "bias", "scale", "shift", "other"]),
    trainable: z.boolean(),
  }),
);

export interface RecordedParameter {
  readonly role: Role;
  readonly trainable: boolean;
}

/** Parameters as they are, buffers as frozen ones. */
export function writeRecord({ parameters, buffers }: Pick<Model, "parameters" | "buffers">): string {
  const weights = parameters.map(({ name, role, trainable }) => ({ name, role, trainable }));
  const frozen = buffers.map(({ name }) => ({ name, role: "other", trainable: false }));
  return JSON.stringify([...weights, ...frozen]);
}

/** Recorded parameters by name; none where the metadata hold no record that can be read. */
export function readRecord(
  metadata: Readonly<Record<string, string>>,
): ReadonlyMap<string, RecordedParameter> {
  try {
    const read = record.safeParse(JSON.parse(metadata[recordKey] ?? "[]"));
    return new Map((read.data ?? []).map(({ name, ...parameter }) => [name, parameter]));
  } catch {
    return new Map();
  }
}
