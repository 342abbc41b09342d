// What Temper's own files say about their parameters and their loss, so that an import knows them again.
import { z } from "zod";
import { lossNames } from "./loss-names.js";
import type { Model, Role } from "./model.js";

/** Key of the record in a file's metadata. */
export const recordKey = "temper.parameters";

/** Key of the loss that the network names as its own. */
const lossKey = "temper.loss";

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

/** The loss of a network that has its own. */
export const writeLoss = ({ loss }: Model): Readonly<Record<string, string>> =>
  loss === undefined ? {} : { [lossKey]: loss };

/** The recorded loss, where the metadata hold one that is known. */
export function readLoss(metadata: Readonly<Record<string, string>>): Pick<Model, "loss"> {
  const { data: loss } = z.enum(lossNames).safeParse(metadata[lossKey]);
  return loss === undefined ? {} : { loss };
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
