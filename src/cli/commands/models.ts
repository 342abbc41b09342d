// `temper models describe`: what a network is made of, and what training it takes.
import { Option, type Command } from "@commander-js/extra-typings";
import { InvalidArgumentError } from "commander";
import { availableParallelism } from "node:os";
import { bytesText } from "../../base/bytes-text.js";
import { check } from "../../base/errors.js";
import type { ImageShape, Split } from "../../data/index.js";
import type { Description, Size } from "../../experiments/describe.js";
import { duration } from "../../report/text.js";
import { print, printJson, widthOf, type Io } from "../io.js";
import { repeated, whole, words } from "../parse.js";
import { readSettings } from "../settings.js";
import { pairs } from "../text.js";

interface DescribeFlags {
  readonly dataset?: string;
  readonly input?: ImageShape;
  readonly classes?: number;
  readonly defense?: readonly string[];
  readonly optimizer: string;
  readonly set: readonly string[];
  readonly batchSize: number;
  readonly time?: true;
  readonly threads?: number;
  readonly json?: true;
}

/** `3x32x32`. */
function imageSizes(text: string): ImageShape {
  const [channels, height, width, ...more] = text.split(/[x×]/).map((size) => Number(size.trim()));
  const sizes = [channels, height, width].every((size) => Number.isInteger(size) && Number(size) > 0);
  if (!sizes || more.length > 0)
    throw new InvalidArgumentError("Expected channels, height and width, like 3x32x32.");
  return [Number(channels), Number(height), Number(width)];
}

const methodsOf = ({ defense = ["standard"] }: DescribeFlags): readonly string[] => defense;

async function unitsOf(model: string, flags: DescribeFlags) {
  const { optimizer, set } = flags;
  const defense = methodsOf(flags);
  const [{ readReference }, { make }, models, methods, optimizers] = await Promise.all([
    import("../../experiments/references.js"),
    import("../../experiments/recipe.js"),
    import("../../nn/architectures/index.js"),
    import("../../defenses/index.js"),
    import("../../optim/index.js"),
  ]);
  const settings = await readSettings(set, { units: [model, ...defense, optimizer], main: [model] });
  const named = (name: string) => ({ [name]: settings[name] ?? {} });
  const network = readReference(models, "model", named(model), []);
  const defenses = defense.map((name) => readReference(methods, "method", named(name), []));
  const rule = readReference(optimizers, "optimizer", named(optimizer), []);
  return {
    network,
    model: make.architecture(network),
    defenses: defenses.map(make.defense),
    optimizer: make.optimizer(rule),
  };
}

type Units = Awaited<ReturnType<typeof unitsOf>>;

/** What goes in and how many classes come out; the images themselves where they are needed. */
async function imagesOf({ dataset, input, classes, time }: DescribeFlags, { defenses }: Units) {
  check(
    dataset === undefined || input === undefined,
    "models describe",
    "either --dataset or --input",
    () => "both",
  );
  if (input !== undefined) return { inputShape: input, classes: classes ?? 10, split: null };
  check(classes === undefined, "models describe", "--classes with --input", () => "it without");
  const { datasetNamed, loadDataset } = await import("../../data/index.js");
  const source = datasetNamed(dataset ?? "mnist");
  const needed = time === true || defenses.some(({ movesInputs }) => movesInputs);
  const split = needed ? (await loadDataset(source)).train : null;
  return { inputShape: source.imageShape, classes: source.classes, split };
}

/** Images of no dataset, for timing: their values decide nothing. */
async function anyImages([channels, height, width]: ImageShape, count: number): Promise<Split> {
  const { randomStream } = await import("../../base/random.js");
  const values = new Float32Array(count * channels * height * width);
  randomStream(0, "images").uniform(values, { sample: 0 }, [0, 256]);
  return { images: Uint8Array.from(values), labels: new Uint8Array(count), count };
}

const exact = (value: number): string => value.toLocaleString("en-US");

/** 1234567 → `1.23 M`. */
function short(value: number): string {
  const units = ["", " k", " M", " G", " T", " P", " E"];
  const rounded = Number(value.toPrecision(3));
  const power = rounded < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(rounded) / 3));
  return power === 0 ? String(value) : `${(rounded / 1000 ** power).toPrecision(3)}${units[power] ?? ""}`;
}

/** Columns of equal width; the first two to the left, numbers to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? "").length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  ");
  return rows.map((row) => line(row).trimEnd()).join("\n");
}

const orNothing = (value: number, text: (value: number) => string): string =>
  value === 0 ? "" : text(value);

const layerTable = ({ layers }: Description): string =>
  table([
    ["layer", "output", "parameters", "multiply-adds"],
    ...layers.map(({ name, outputShape, parameters, multiplyAdds }) => [
      name,
      outputShape.join("×"),
      orNothing(parameters, exact),
      orNothing(multiplyAdds, short),
    ]),
  ]);

interface Timing {
  readonly secondsPerStep: number;
  readonly imagesPerSecond: number;
  /** Where the number of training images is known. */
  readonly secondsPerEpoch: number | null;
  readonly threads: number;
}

function timeText({ secondsPerStep, imagesPerSecond, secondsPerEpoch, threads }: Timing): string {
  const step =
    secondsPerStep < 1 ? `${(1000 * secondsPerStep).toPrecision(3)} ms` : `${secondsPerStep.toFixed(1)} s`;
  const epoch = secondsPerEpoch === null ? "" : `, about ${duration(secondsPerEpoch)} an epoch`;
  return `${step} a step, ${imagesPerSecond.toFixed(0)} images/s${epoch} (measured here, threads: ${threads})`;
}

/** Parameters, those of batch-norm apart. */
const parametersText = ({ parameters, batchNormParameters }: Size): string =>
  `${exact(parameters)}${orNothing(batchNormParameters, (value) => `, and ${exact(value)} of batch-norm`)}`;

/** All the names, or the first ones and the last where there are many. */
function sitesText(sites: readonly string[]): string {
  const names = ["input", ...sites];
  const last = names.at(-1) ?? "";
  return names.length <= 6
    ? names.join(", ")
    : `${names.slice(0, 3).join(", ")}, …, ${last} (${names.length})`;
}

const exportedRows = (form: Size): [string, string][] => [
  ["exported as", "another network, after the last epoch:"],
  ["  parameters", parametersText(form)],
  ["  forward pass", `${short(form.multiplyAdds)} multiply-adds an image`],
];

/** What fits into the memory that is free, where this does not. */
function roomRows({ largestBatch }: Description, room: number): [string, string][] {
  if (largestBatch === undefined) return [];
  const batches = largestBatch === null ? "no batch" : `batches of up to ${largestBatch}`;
  return [["  fits", `${batches} in the ${bytesText(room)} that are free here`]];
}

function totals(
  found: Description,
  { flags, timing, room }: { flags: DescribeFlags; timing: Timing | null; room: number },
): [string, string][] {
  const { memory, multiplyAdds, stepMultiplyAdds, exported, sites, loss } = found;
  const method = methodsOf(flags).join(" + ");
  const { total, engine, host, state, activations } = memory;
  return [
    ["parameters", parametersText(found)],
    ["forward pass", `${short(multiplyAdds)} multiply-adds an image`],
    ...(exported ? exportedRows(exported) : []),
    ["noise sites", sitesText(sites)],
    ["training", `${method}, ${flags.optimizer}, batches of ${flags.batchSize}`],
    ["loss", loss],
    ["one step", `${short(stepMultiplyAdds)} multiply-adds`],
    ["memory", `about ${bytesText(total)} more at the peak than an idle process:`],
    ["  engine", `${bytesText(engine)}; the values of one step need ${bytesText(activations)} at once`],
    ["  host", `${bytesText(host)}; the state is ${bytesText(state)}, and held several times`],
    ...roomRows(found, room),
    ...(timing === null ? [] : [["time", timeText(timing)] as [string, string]]),
  ];
}

async function describe(io: Io, name: string, flags: DescribeFlags): Promise<void> {
  check(
    flags.threads === undefined || flags.time === true,
    "models describe",
    "--time with --threads",
    () => "none",
  );
  const units = await unitsOf(name, flags);
  const { inputShape, classes, split } = await imagesOf(flags, units);
  const { describeModel, sampleSteps, timeStep } = await import("../../experiments/describe.js");
  const { localEngine } = await import("../../runtime/engine.js");
  const { batchSize, threads = availableParallelism() } = flags;
  const { checkMemory, machineMemory } = await import("../../experiments/machine-memory.js");
  const target = await localEngine().target();
  const { free: room } = machineMemory();
  const options = {
    ...units,
    inputShape,
    classes,
    batchSize,
    target,
    room,
    ...(split && { images: split.count }),
  };
  const found = describeModel(options);
  const clock = async (): Promise<Timing> => {
    const { memory, largestBatch = batchSize } = found;
    const need = { bytes: memory.total, room, whose: "that are free", largestBatch: () => largestBatch };
    checkMemory("models describe --time", need);
    const [{ workerEngine }, { limit }] = await Promise.all([
      import("../../runtime/worker-engine.js"),
      import("../../data/index.js"),
    ]);
    const count = batchSize * sampleSteps(found);
    const sample = split === null ? await anyImages(inputShape, count) : limit(split, count);
    const engine = workerEngine({ threads });
    const seconds = await timeStep(options, sample, engine).finally(() => engine.close());
    const epoch = split && Math.ceil(split.count / batchSize) * seconds;
    return { secondsPerStep: seconds, imagesPerSecond: batchSize / seconds, secondsPerEpoch: epoch, threads };
  };
  const timing = flags.time === true ? await clock() : null;
  const { network } = units;
  if (flags.json === true) {
    const training = { defense: methodsOf(flags), optimizer: flags.optimizer, batchSize };
    return void printJson(io, {
      model: name,
      options: network.options,
      inputShape,
      classes,
      training,
      ...found,
      timing,
    });
  }
  print(io, `${name}: ${inputShape.join("×")} to ${classes} classes\n`);
  print(io, `${layerTable(found)}\n`);
  print(io, pairs(totals(found, { flags, timing, room }), widthOf(io.out, io.env)));
}

export function models(program: Command, io: Io): void {
  const group = program
    .command("models")
    .summary("layers, sizes and cost of a network")
    .description("What a network is made of, and what training it takes. Their names: temper list models.")
    .helpCommand(false);
  group
    .command("describe")
    .summary("layers, sizes, arithmetic, memory")
    .description(
      "Shows a network's layers with output shapes and parameters, the arithmetic of its forward pass and of a " +
        "training step, and the memory that training adds to an idle process at its peak.",
    )
    .argument("<model>", "a network out of: temper list models")
    .addOption(
      new Option(
        "--set <option=value>",
        "an option of the network, or of any part by its name: sgd.momentum=0.9; may be repeated",
      )
        .argParser(repeated)
        .default([], "each part's own"),
    )
    .option("--dataset <name>", "take its images: temper list datasets (default: mnist)")
    .addOption(
      new Option("--input <sizes>", "take images of these sizes, like 3x32x32").argParser(imageSizes),
    )
    .addOption(new Option("--classes <n>", "classes, with --input (default: 10)").argParser(whole(2)))
    .addOption(
      new Option(
        "--defense <names>",
        "methods out of: temper list methods; separated by commas (default: standard)",
      ).argParser(words),
    )
    .option("--optimizer <name>", "an optimizer out of: temper list optimizers", "sgd")
    .addOption(new Option("--batch-size <n>", "images a step").argParser(whole(2)).default(128))
    .option("--time", "train a few steps and say how long an epoch takes on this machine")
    .addOption(
      new Option("--threads <n>", "threads to time with (default: one per core)").argParser(whole(1, 256)),
    )
    .option("--json", "as JSON, for programs")
    .action((model, flags) => describe(io, model, flags));
}
