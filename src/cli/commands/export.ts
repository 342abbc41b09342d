// `temper export`: a whole attack, or a training step, as one ONNX file for any ONNX runtime.
import { Option, type Command } from "@commander-js/extra-typings";
import { bytesText } from "../../base/bytes-text.js";
import { check } from "../../base/errors.js";
import type { OnnxValue } from "../../onnx/read.js";
import type { NormName } from "../../threat/find.js";
import { checkOutputFile, readBytes, readText } from "../files.js";
import { print, printJson, widthOf, type Io } from "../io.js";
import { repeated } from "../parse.js";
import { recipeFile } from "../recipe-file.js";
import { normOption } from "../norm.js";
import { readSettings } from "../settings.js";
import { pairs } from "../text.js";

interface ExportFlags {
  readonly attack?: string;
  readonly norm: NormName;
  readonly targeted?: true;
  readonly set: readonly string[];
  readonly step?: string;
  readonly method?: string;
  readonly out: string;
  readonly json?: true;
}

async function attackFile(model: string, name: string, flags: ExportFlags): Promise<Uint8Array> {
  const [{ createAttack }, { openClassifier }, { exportAttack }] = await Promise.all([
    import("../../attacks/create.js"),
    import("../../experiments/fit.js"),
    import("../../experiments/export.js"),
  ]);
  const settings = await readSettings(flags.set, { units: [name], main: [name] });
  const attack = createAttack(name, settings[name], "export");
  const { classifier } = openClassifier(model, await readBytes(model, "an ONNX file"));
  return exportAttack(attack, classifier, { norm: flags.norm, targeted: flags.targeted === true });
}

async function stepFile(path: string, method: string | undefined): Promise<Uint8Array> {
  const [{ parseRecipe }, { exportStep }] = await Promise.all([
    import("../../experiments/recipe-file.js"),
    import("../../experiments/export.js"),
  ]);
  return exportStep(parseRecipe(await readText(path, "a recipe"), path), method);
}

/** `input  labels int32 [batch]` of each value. */
const namedRows = (what: string, values: readonly OnnxValue[]): (readonly [string, string])[] =>
  values.map(({ name, type, dims }) => [what, `${name} ${type} [${dims?.join(", ") ?? "…"}]`]);

async function exportFile(io: Io, model: string | undefined, flags: ExportFlags): Promise<void> {
  const { attack, step, method, out, json } = flags;
  const wanted = model !== undefined && attack !== undefined && step === undefined;
  check(
    wanted || (step !== undefined && model === undefined && attack === undefined),
    "export",
    "either MODEL with --attack, or --step RECIPE",
    () => [model, attack && "--attack", step && "--step"].filter(Boolean).join(" ") || "none of them",
  );
  const input = wanted ? model : await recipeFile(step ?? "");
  await checkOutputFile(out, input);
  const file = wanted ? await attackFile(input, attack, flags) : await stepFile(input, method);
  const [{ writeWhole }, { readOnnx }] = await Promise.all([
    import("../../data/disk.js"),
    import("../../onnx/read.js"),
  ]);
  await writeWhole(out, file);
  const { inputs, outputs } = readOnnx(file);
  if (json === true) return void printJson(io, { file: out, bytes: file.length, inputs, outputs });
  print(io, `${out} (${bytesText(file.length)})`);
  const rows = [...namedRows("input", inputs), ...namedRows("output", outputs)];
  print(io, pairs(rows, widthOf(io.out, io.env)));
}

export function exportCommand(program: Command, io: Io): void {
  program
    .command("export")
    .summary("an attack or a training step as an ONNX file")
    .description(
      "Writes a whole attack on a model (its iterations in a Loop), or a recipe's training step, as one ONNX file " +
        "of the standard domain: any ONNX runtime runs it.",
    )
    .argument("[model]", "ONNX file of the classifier to attack")
    .option("--attack <name>", "an attack out of: temper list attacks")
    .addOption(normOption)
    .option("--targeted", "reach the labels in place of leaving them")
    .addOption(
      new Option("--set <option=value>", "an option of the attack, like restarts=1; may be repeated")
        .argParser(repeated)
        .default([], "the attack's own"),
    )
    .option("--step <recipe>", "a recipe's file or name: write its training step")
    .option("--method <name>", "which method of the recipe (default: the only one)")
    .requiredOption("--out <file>", "the ONNX file to write")
    .option("--json", "print what was written as JSON")
    .action((model, flags) => exportFile(io, model, flags));
}
