// What the importer says about a file, and what of it trains, on stderr before the work begins.
import type { Model, Parameter } from "../nn/model.js";
import { note, widthOf, type Io } from "./io.js";
import { wrap } from "./text.js";

/** Prints notes, folded to the terminal's width. */
export function printNotes(io: Io, notes: readonly string[]): void {
  for (const text of notes) for (const line of wrap(text, widthOf(io.err, io.env))) note(io, line);
}

/** Which tensors train, and which stay as they are. */
export function trainingNotes({ parameters, origin }: Model): string[] {
  const named = (these: readonly Parameter[]): string => these.map(({ name }) => name).join(", ");
  const frozen = parameters.filter(({ trainable }) => !trainable);
  return [
    `trains ${named(parameters.filter(({ trainable }) => trainable))}`,
    ...(frozen.length > 0 ? [`leaves ${named(frozen)} as it is`] : []),
    ...(origin && origin.rounded.length > 0
      ? [`writes ${origin.rounded.join(", ")} as the file stores them: what they learn is rounded`]
      : []),
  ];
}
