// `--transfer-from`: other models on which points are crafted.
import { Option } from "@commander-js/extra-typings";
import type { TransferModel } from "../experiments/audit.js";
import type { AttackPlan } from "../experiments/attack-plan.js";
import { readBytes } from "./files.js";
import { note, type Io } from "./io.js";
import { printNotes } from "./model-notes.js";
import { repeated } from "./parse.js";
import { preprocessingFor } from "./preprocessing.js";

export const transferOption = new Option(
  "--transfer-from <model>",
  "another ONNX model: what the attacks make of the images there is tried on this one too; may be repeated",
)
  .argParser(repeated)
  .default([], "none");

interface TransferFlags {
  readonly transferFrom: readonly string[];
  readonly preprocess: readonly string[];
}

/** The models to craft on, each behind the preprocessing that its own YAML says. */
export async function transferModels(
  io: Io,
  attacks: readonly AttackPlan[],
  { transferFrom, preprocess }: TransferFlags,
): Promise<TransferModel[]> {
  if (transferFrom.length === 0) return [];
  const [{ checkCrafting }, { make }] = await Promise.all([
    import("../experiments/transfer.js"),
    import("../experiments/recipe.js"),
  ]);
  const left = checkCrafting("audit --transfer-from", attacks.map(make.attack));
  if (left.length > 0)
    note(io, `not crafted on other models, as they follow no gradient within ε: ${left.join(", ")}`);
  return Promise.all(
    [...new Set(transferFrom)].map(async (path) => {
      const { preprocessing, notes } = await preprocessingFor(path, preprocess);
      printNotes(
        io,
        notes.map((text) => `${path}: ${text}`),
      );
      return { path, file: await readBytes(path, "an ONNX file"), preprocessing };
    }),
  );
}
