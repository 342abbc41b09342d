// What the importer says about a file, on stderr before the work begins.
import { note, widthOf, type Io } from "./io.js";
import { wrap } from "./text.js";

/** Prints the notes but those that say nothing. */
export function printNotes(io: Io, notes: readonly string[]): void {
  const telling = notes.filter((text) => text !== "leaves nothing as it is");
  for (const text of telling) for (const line of wrap(text, widthOf(io.err))) note(io, line);
}

/** The notes without what would be trained. */
export const withoutTraining = (notes: readonly string[]): string[] =>
  notes.filter((text) => !/^(trains|leaves) /.test(text));
