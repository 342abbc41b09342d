// `temper harden`: one model, fresh or from an ONNX file, trained under defences and written as an ONNX file.
import { Option, type Command } from "@commander-js/extra-typings";
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { bytesText } from "../../base/bytes-text.js";
import { check, failUnknown } from "../../base/errors.js";
import type { Unreadable } from "../../data/image-folder.js";
import type { ImageSet } from "../../data/image-set.js";
import type { Preprocessing } from "../../data/preprocessing.js";
import type { Reference } from "../../experiments/references.js";
import type { Architecture } from "../../nn/architectures/architecture.js";
import { lossNames, type LossName } from "../../nn/loss-names.js";
import type { Classifier } from "../../nn/model.js";
import { plural } from "../../report/text.js";
import { checkOutputFile, exists, readBytes } from "../files.js";
import { interruptible } from "../interrupt.js";
import { note, print, printJson, type Io } from "../io.js";
import { printNotes, trainingNotes } from "../model-notes.js";
import { amount, repeated, whole, words } from "../parse.js";
import { epochText, progressView, trainingStep } from "../progress.js";
import { checkProvider, providerOption } from "../provider.js";
import { readSettings, type Settings } from "../settings.js";
import {
  checkHostSteps,
  checkUnreadable,
  datasetText,
  preprocessingFor,
  preprocessOption,
  unreadableOption,
  yamlToWrite,
} from "../preprocessing.js";
import { movingInputsText, shellWord } from "../text.js";

interface HardenFlags {
  readonly dataset: string;
  readonly preprocess: readonly string[];
  readonly defense: readonly string[];
  readonly set: readonly string[];
  readonly augment: readonly string[];
  readonly optimizer: string;
  readonly learningRate?: number;
  readonly loss?: LossName;
  readonly epochs: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly limit?: number;
  readonly train: readonly string[];
  readonly freeze: readonly string[];
  readonly provider: string;
  readonly threads?: number;
  readonly checkpointEvery: number;
  readonly unreadable: Unreadable;
  readonly fresh?: true;
  readonly out: string;
  readonly json?: true;
}

/** What to start from, and what identifies it. */
interface Start {
  readonly model: Architecture | Classifier;
  readonly identity: string;
  readonly notes: readonly string[];
}

const sha256 = (value: Uint8Array | string): string => createHash("sha256").update(value).digest("hex");

/** The architecture called `name`, or null where it is a file's path. */
async function architectureNamed(name: string): Promise<boolean> {
  const architectures = await import("../../nn/architectures/index.js");
  const names = Object.keys(architectures);
  if (names.includes(name)) return true;
  if (/[./\\]/.test(name) || (await exists(name))) return false;
  return failUnknown("model", "name", name, [...names, "a path to an ONNX file"]);
}

/** Prepared images that are kept between epochs, and the most threads that read them: together well below 1 GiB. */
const reading = { cacheBytes: 2 ** 29, mostThreads: 8 };

/** How the images to train on are opened: an archive's training part, pixels not kept. */
const opening = { preferred: "train", cacheBytes: 0 } as const;

async function startFrom(
  model: string,
  settings: Settings,
  { train, freeze, dataset, seed }: HardenFlags,
  preprocessing: Preprocessing,
): Promise<Start> {
  const { make } = await import("../../experiments/recipe.js");
  if (await architectureNamed(model)) {
    check(
      train.length + freeze.length === 0,
      "harden",
      "an ONNX file with --train or --freeze",
      () => `'${model}'`,
    );
    const reference = await referenceOf("model", model, settings);
    return { model: make.architecture(reference), identity: JSON.stringify(reference), notes: [] };
  }
  const [{ openClassifier }, { inputShapeBy }] = await Promise.all([
    import("../../experiments/fit.js"),
    import("../../experiments/images.js"),
  ]);
  const file = await readBytes(model, "an ONNX file");
  const inputShape = await inputShapeBy(model, file, dataset, { preprocessing, seed, ...opening });
  const { classifier, notes } = openClassifier(model, file, {
    ...(inputShape && { inputShape }),
    train,
    freeze,
    name: basename(model, ".onnx"),
  });
  const said = [...notes, ...trainingNotes(classifier.model)];
  return { model: classifier, identity: JSON.stringify([sha256(file), train, freeze]), notes: said };
}

async function referenceOf(
  kind: "method" | "optimizer" | "model" | "augmentation",
  name: string,
  settings: Settings,
): Promise<Reference> {
  const { readReference } = await import("../../experiments/references.js");
  const registry = {
    method: () => import("../../defenses/index.js"),
    optimizer: () => import("../../optim/index.js"),
    model: () => import("../../nn/architectures/index.js"),
    augmentation: () => import("../../augmentations/index.js"),
  };
  return readReference(await registry[kind](), kind, { [name]: settings[name] ?? {} }, []);
}

/** The images of a folder read as training goes; those of an archive, or where inputs move, held in memory. */
async function opened(images: ImageSet, threads: number, moving: string | undefined) {
  const { checkSeveralClasses, loadWhole, streamed } = await import("../../experiments/images.js");
  const { name, count } = images;
  checkSeveralClasses(images);
  if (images.source === "folder" && moving === undefined) {
    const kept = `up to ${bytesText(reading.cacheBytes)} of them are kept`;
    const note = `${name}: ${count} images are read as training goes, in ${plural(threads, "thread")}; ${kept}`;
    return { dataset: streamed(images), note };
  }
  const dataset = await loadWhole(images);
  await images.close?.();
  const why = moving === undefined ? "" : `; ${moving} moves its inputs and needs all of them`;
  const note = `${name}: ${count} images are held in memory, ${bytesText(dataset.train.images.length)}${why}`;
  return { dataset, note };
}

/** The images to train on: a dataset's, or those of a folder or an archive. */
async function trainingSet(
  { dataset: given, seed, preprocess, unreadable }: HardenFlags,
  preprocessing: Preprocessing,
  { model }: Start,
  moving: string | undefined,
) {
  const [{ datasetNamed, datasetNames, loadDataset }, { leftOut, openImages, sourceOf }] = await Promise.all([
    import("../../data/index.js"),
    import("../../experiments/images.js"),
  ]);
  const isFolder = !datasetNames.includes(given) && (await sourceOf(given)) === "folder";
  checkUnreadable(unreadable, isFolder, given);
  if (datasetNames.includes(given)) {
    const dataset = await loadDataset(datasetNamed(given));
    const source = { name: given, source: "dataset" } as const;
    checkHostSteps(preprocess, source);
    return { dataset, identity: given, notes: leftOut(source, preprocessing) };
  }
  const own = typeof model === "function" ? undefined : model.model;
  const threads = Math.min(reading.mostThreads, availableParallelism());
  const how = { ...opening, cacheBytes: moving === undefined ? reading.cacheBytes : 0, threads, unreadable };
  const images = await openImages(given, { model: own, preprocessing, seed, ...how });
  checkHostSteps(preprocess, images);
  const { dataset, note: said } = await opened(images, threads, moving);
  const { close, notes, identity } = images;
  return { dataset, identity: `${given} ${identity}`, notes: [...notes, said], ...(close && { close }) };
}

/** Everything that decides what comes out, checked. */
async function jobOf(given: string, flags: HardenFlags) {
  const { defense, optimizer: named, epochs, batchSize, seed, limit, loss } = flags;
  const units = [...defense, named, given, ...flags.augment];
  const settings = await readSettings(flags.set, { units, main: defense });
  const transforms = await Promise.all(
    flags.augment.map((name) => referenceOf("augmentation", name, settings)),
  );
  const methods = await Promise.all(defense.map((name) => referenceOf("method", name, settings)));
  const rule = await referenceOf("optimizer", named, settings);
  const isFile = !(await architectureNamed(given));
  const found = await preprocessingFor(isFile ? given : null, flags.preprocess);
  const { preprocessing } = found;
  const start = await startFrom(given, settings, flags, preprocessing);
  await checkOutputFile(flags.out, given);
  await checkProvider(flags.provider);
  const yaml = await yamlToWrite(flags.out, preprocessing);
  const { make } = await import("../../experiments/recipe.js");
  const optimizer = make.optimizer(rule);
  const { learningRate = optimizer.learningRate } = flags;
  const { makeAugmentation } = await import("../../experiments/augmentation.js");
  const defenses = methods.map(make.defense);
  const moving = defense.find((_, i) => defenses[i]?.movesInputs === true);
  const data = await trainingSet(flags, preprocessing, start, moving);
  const { dataset } = data;
  const threads = flags.threads ?? availableParallelism();
  const what = {
    ...{ start: start.identity, dataset: data.identity, preprocessing, methods, rule, learningRate },
    ...(transforms.length > 0 && { transforms }),
    ...(loss && { loss }),
  };
  return {
    options: {
      model: start.model,
      dataset,
      preprocessing,
      defenses,
      optimizer,
      augmentation: makeAugmentation(transforms),
      learningRate,
      epochs,
      batchSize,
      seed,
      ...(loss && { loss }),
      ...(limit !== undefined && { limit }),
    },
    notes: [...start.notes, ...found.notes, ...data.notes],
    yaml,
    threads,
    close: async () => data.close?.(),
    identity: sha256(JSON.stringify({ ...what, batchSize, seed, epochs, limit, threads })),
  };
}

type Job = Awaited<ReturnType<typeof jobOf>>;

/** Says what is trained, and what it takes. */
function announce(io: Io, { notes, options }: Job): void {
  printNotes(io, notes);
  if (!options.defenses.some(({ movesInputs }) => movesInputs)) return;
  const { imageShape, train } = options.dataset;
  const pixels = imageShape.reduce((product, side) => product * side, 1);
  note(io, movingInputsText(4 * pixels * Math.min(options.limit ?? train.count, train.count)));
}

async function hardenModel(io: Io, given: string, flags: HardenFlags): Promise<void> {
  const { out, epochs, seed } = flags;
  const job = await jobOf(given, flags);
  const [{ harden: runHarden }, { workerEngine }, { writeWhole }] = await Promise.all([
    import("../../experiments/harden.js"),
    import("../../runtime/worker-engine.js"),
    import("../../data/disk.js"),
  ]);
  announce(io, job);
  const folder = `${out}.checkpoint`;
  if (flags.fresh === true) await rm(folder, { recursive: true, force: true });
  const view = await progressView(io);
  const messages = {
    view,
    stopping: "stopping: saving what is done (Ctrl-C again ends at once) …",
    stopped: `stopped, everything is saved in ${folder}; the same command goes on from there`,
  };
  const engine = workerEngine({ provider: flags.provider, threads: job.threads });
  let speed: number | undefined;
  const task = flags.defense.join("+");
  const { file, history } = await interruptible(io, messages, (signal) =>
    runHarden({
      ...job.options,
      engine,
      signal,
      name: task,
      metadata: { method: task, seed: String(seed) },
      checkpoint: { folder, identity: job.identity, every: flags.checkpointEvery },
      onProgress: (progress) => {
        speed = progress.imagesPerSecond;
        view.update(task, trainingStep(progress));
      },
      onEpoch: ({ epoch, metrics }) =>
        view.line(task, epochText(epoch + 1, epochs, metrics["loss"] ?? NaN, speed)),
    }),
  ).finally(async () => {
    view.stop();
    await Promise.all([engine.close(), job.close()]);
  });
  await writeWhole(out, file);
  if (job.yaml !== null) await writeWhole(job.yaml.path, job.yaml.text);
  await rm(folder, { recursive: true, force: true });
  const loss = history.at(-1)?.metrics["loss"] ?? null;
  if (flags.json === true)
    return void printJson(io, { file: out, bytes: file.length, sha256: sha256(file), epochs, loss });
  const skipping = flags.unreadable === "skip" ? " --unreadable skip" : "";
  const next = `temper audit ${shellWord(out)} --dataset ${shellWord(flags.dataset)} --epsilon 0.1${skipping}`;
  print(io, `${out} (${bytesText(file.length)}); next: ${next}`);
}

const lossOption = new Option(
  "--loss <name>",
  "what the weights descend (default: the network's own, margin for capsnet and files of it; else softmax-cross-entropy)",
).choices(lossNames);

export function harden(program: Command, io: Io): void {
  program
    .command("harden")
    .summary("train one model under defences")
    .description(
      "Trains a model under one or more defences and writes it as an ONNX file. Out of a file comes the same file with " +
        "other weights: its inputs and outputs stay, a softmax at its end and labels beside it too. Stopped and run " +
        "again, it goes on.",
    )
    .argument("<model>", "a network out of: temper list models; or a path to an ONNX file")
    .requiredOption("--dataset <name>", `${datasetText}, with pixels of 8 bits`)
    .addOption(preprocessOption)
    .addOption(
      new Option(
        "--defense <names>",
        "methods out of: temper list methods; repeated or separated by commas, the outermost first",
      )
        .argParser(words)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option(
        "--set <option=value>",
        "an option of the method, or of any part by its name: sgd.momentum=0.9; may be repeated",
      )
        .argParser(repeated)
        .default([], "each part's own"),
    )
    .addOption(
      new Option(
        "--augment <names>",
        "changes of the training images, out of: temper list augmentations; in this order",
      )
        .argParser(words)
        .default([], "none"),
    )
    .option("--optimizer <name>", "an optimizer out of: temper list optimizers", "sgd")
    .addOption(
      new Option(
        "--learning-rate <rate>",
        "step per unit of gradient (default: the optimizer's own, 0.1 for sgd)",
      ).argParser(amount),
    )
    .addOption(lossOption)
    .addOption(new Option("--epochs <n>", "passes over the training images").argParser(whole(1)).default(10))
    .addOption(new Option("--batch-size <n>", "images a step").argParser(whole(2)).default(128))
    .addOption(
      new Option("--seed <n>", "decides starting weights, order and noise").argParser(whole(0)).default(0),
    )
    .addOption(
      new Option("--limit <n>", "train on the first so many images only (default: all)").argParser(whole(2)),
    )
    .addOption(
      new Option("--train <pattern>", "ONNX file: tensors to train beside weights and biases; * is any text")
        .argParser(repeated)
        .default([], "none"),
    )
    .addOption(
      new Option("--freeze <pattern>", "ONNX file: tensors to leave as they are; * is any text")
        .argParser(repeated)
        .default([], "none"),
    )
    .addOption(unreadableOption)
    .addOption(providerOption)
    .addOption(
      new Option(
        "--threads <n>",
        "threads within one operator; the last bits of results depend on it (default: one per core)",
      ).argParser(whole(1, 256)),
    )
    .addOption(
      new Option("--checkpoint-every <seconds>", "seconds between saved states")
        .argParser(amount)
        .default(15),
    )
    .option("--fresh", "start over: forget a saved state beside the output")
    .requiredOption("--out <file>", "the ONNX file to write")
    .option("--json", "print what was written as JSON")
    .action((model, flags) => hardenModel(io, model, flags));
}
