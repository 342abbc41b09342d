// `temper audit`: how an ONNX classifier stands under attack.
import { Option, type Command } from "@commander-js/extra-typings";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { check } from "../../base/errors.js";
import type { Unreadable } from "../../data/image-folder.js";
import type { AuditFile } from "../../experiments/records.js";
import type { Gallery } from "../../experiments/run-record.js";
import { readPlans, type PlanFlags } from "../audit-plans.js";
import { makeFolder } from "../../data/disk.js";
import type { AuditOptions } from "../../experiments/audit.js";
import { corruptionsFor, corruptionsOption, severitiesOption } from "../corruptions.js";
import { entriesOf, readBytes } from "../files.js";
import { interruptible } from "../interrupt.js";
import { note, type Io } from "../io.js";
import { modeOption } from "../mode.js";
import { printNotes } from "../model-notes.js";
import { repeated, whole, words } from "../parse.js";
import {
  checkHostSteps,
  checkUnreadable,
  datasetText,
  preprocessingFor,
  preprocessOption,
  splitOption,
  unreadableOption,
} from "../preprocessing.js";
import { attackStage, progressView } from "../progress.js";
import { normOption } from "../norm.js";
import { checkProvider, providerOption } from "../provider.js";
import { showAudit } from "../show.js";
import { transferModels, transferOption } from "../transfer.js";

interface AuditFlags extends PlanFlags {
  readonly dataset: string;
  readonly mode: "eval" | "train";
  readonly split?: "test" | "train";
  readonly preprocess: readonly string[];
  readonly unreadable: Unreadable;
  readonly transferFrom: readonly string[];
  readonly limit?: number;
  readonly severities?: readonly number[];
  readonly labels: "true" | "predicted";
  readonly seed: number;
  readonly batchSize: number;
  readonly provider: string;
  readonly threads: number;
  readonly jobs?: number;
  readonly out?: string;
  readonly fresh?: true;
  readonly json?: true;
}

/** A new folder, or one that an audit has written before. */
async function checkFolder(folder: string): Promise<void> {
  const [{ paths }, { lockName }] = await Promise.all([
    import("../../experiments/store.js"),
    import("../../experiments/lock.js"),
  ]);
  const entries = (await entriesOf(folder)).filter((name) => name !== lockName);
  check(
    entries.length === 0 ||
      ([paths.audit, paths.auditJournal, paths.worstImages].some((name) => entries.includes(name)) &&
        !entries.includes(paths.run)),
    folder,
    "an empty folder or one of Temper's audits",
    () => `a folder with ${entries.slice(0, 3).join(", ")}${entries.length > 3 ? ", …" : ""}`,
  );
}

/** The images to attack, and everything about them that is said before the work begins. */
async function imagesOf(path: string, file: Uint8Array, flags: AuditFlags) {
  const [{ openImagesFor, sourceOf }, { limitNotes }] = await Promise.all([
    import("../../experiments/images.js"),
    import("../../data/image-set.js"),
  ]);
  checkUnreadable(flags.unreadable, (await sourceOf(flags.dataset)) === "folder", flags.dataset);
  const { preprocessing, notes } = await preprocessingFor(path, flags.preprocess);
  const {
    images,
    classes,
    notes: about,
  } = await openImagesFor(path, file, flags.dataset, {
    ...flags,
    preprocessing,
  });
  checkHostSteps(flags.preprocess, images);
  const left = limitNotes(images, flags.limit);
  return { images, classes, preprocessing, notes: [...about, ...notes, ...images.notes, ...left] };
}

/** Runs the audit into `folder`, which nobody else has; whether it had been done before. */
async function auditInto(
  io: Io,
  folder: string,
  options: Pick<AuditOptions, "file" | "path" | "dataset" | "attacks"> & Partial<AuditOptions>,
  { fresh }: AuditFlags,
): Promise<boolean> {
  const [{ audit: runAudit }, { paths, readJson, writeGallery, writeJson }, { schemas }] = await Promise.all([
    import("../../experiments/audit.js"),
    import("../../experiments/store.js"),
    import("../../experiments/records.js"),
  ]);
  const record = join(folder, paths.audit);
  // An unreadable record is that of no audit: it is written anew.
  const before = await readJson(record, schemas.audit).catch(() => null);
  const known = fresh === true ? null : before;
  const onBegin = async (): Promise<void> => {
    if (known) note(io, `This audit takes the place of another one in ${folder}.`);
    if (fresh === true)
      for (const name of [paths.audit, paths.auditJournal]) await rm(join(folder, name), { force: true });
  };
  const view = await progressView(io);
  const messages = {
    view,
    stopping: "stopping (Ctrl-C again ends at once) …",
    stopped: `stopped, what is done is kept in ${folder}; the same command goes on from there`,
  };
  let stage = "";
  const images: { worst: Gallery | null } = { worst: null };
  const found: AuditFile = await interruptible(io, messages, (signal) =>
    runAudit({
      ...options,
      ...(known && { known }),
      onBegin,
      journal: join(folder, paths.auditJournal),
      onResume: (batches) => note(io, `goes on where it was stopped (batches done: ${batches})`),
      onWorstImages: (worst) => void (images.worst = worst),
      signal,
      onProgress: ({ doing: exactly, done, total }) => {
        const doing = attackStage(exactly);
        if (doing !== stage) view.begin("audit", doing);
        stage = doing;
        view.update("audit", { share: done / total, text: doing });
      },
    }),
  ).finally(view.stop);
  if (found === known) return true;
  if (images.worst === null) await rm(join(folder, paths.worstImages), { force: true });
  else await writeGallery(join(folder, paths.worstImages), images.worst);
  await writeJson(record, found);
  return false;
}

async function auditFile(io: Io, path: string, flags: AuditFlags): Promise<void> {
  check(flags.out !== "", "audit --out", "a folder", () => "an empty word");
  const folder = flags.out ?? join("runs", `audit-${basename(path, ".onnx")}`);
  const planned = await readPlans(flags);
  const { checkPlans } = await import("../../experiments/attack-plan.js");
  const { corruptions, severities, limit, labels, mode, seed, batchSize } = flags;
  const transferFrom = await transferModels(io, planned.attacks, flags);
  const disturbances = await corruptionsFor(corruptions, severities);
  const file = await readBytes(path, "an ONNX file");
  await checkFolder(folder);
  await checkProvider(flags.provider);
  const { images, classes, preprocessing, notes } = await imagesOf(path, file, flags);
  const { attacks, notes: radii } = planned.over(images.imageShape);
  checkPlans(attacks, classes);
  printNotes(io, [...notes, ...radii]);
  const [{ openEngines, closeEngines }, { lockFolder }] = await Promise.all([
    import("../../experiments/engines.js"),
    import("../../experiments/lock.js"),
  ]);
  await makeFolder(folder);
  const unlock = await lockFolder(folder);
  const bytes = [file, ...transferFrom.map((source) => source.file)];
  const engines = openEngines(
    bytes.reduce((sum, { length }) => sum + length, 0),
    flags,
  );
  const what = {
    file,
    path,
    dataset: images,
    preprocessing,
    attacks,
    transferFrom,
    engines,
    ...disturbances,
  };
  const how = { labels, mode, seed, batchSize, ...(limit !== undefined && { limit }) };
  try {
    if (await auditInto(io, folder, { ...what, ...how }, flags))
      note(io, "This audit is done already; --fresh starts over.");
    await showAudit(io, folder, { json: flags.json === true });
  } finally {
    await closeEngines(engines);
    await unlock();
  }
}

export function audit(program: Command, io: Io): void {
  program
    .command("audit")
    .summary("attack an ONNX model and report")
    .description(
      "Measures the accuracy of an ONNX classifier, clean and under attack, raises doubts about the figures " +
        "where there are any, and writes audit.json and a report.",
    )
    .argument(
      "<model>",
      "ONNX file of a classifier; inputs in [0, 1] unless --preprocess says how they come of it",
    )
    .requiredOption("--dataset <name>", datasetText)
    .addOption(preprocessOption)
    .addOption(splitOption)
    .addOption(unreadableOption)
    .addOption(
      new Option(
        "--attack <names>",
        "attacks out of: temper list attacks; separated by commas (default: fgsm, pgd and autoattack's fast version)",
      ).argParser(words),
    )
    .addOption(
      new Option(
        "--epsilon <radii>",
        "radii in units of pixels in [0, 1], like 0.1,8/255; separated by commas (default: those at which robustness is usually quoted for such images)",
      ).argParser(words),
    )
    .addOption(normOption)
    .addOption(modeOption)
    .addOption(transferOption)
    .option("--targeted", "attacks reach for a random wrong class in place of leaving the own")
    .addOption(
      new Option("--set <attack.option=value>", "an option of an attack, like pgd.steps=20; may be repeated")
        .argParser(repeated)
        .default([], "each attack's own"),
    )
    .addOption(corruptionsOption)
    .addOption(severitiesOption)
    .addOption(
      new Option(
        "--limit <n>",
        "only the first so many images; of a folder, spread over its classes (default: all)",
      ).argParser(whole(1)),
    )
    .addOption(
      new Option("--labels <kind>", "labels given to the attacks")
        .choices(["true", "predicted"])
        .default("true" as const),
    )
    .addOption(
      new Option("--seed <n>", "decides random starts, what random models draw, and the order of a folder")
        .argParser(whole(0))
        .default(0),
    )
    .addOption(
      new Option("--batch-size <n>", "images a batch; the figures do not depend on it")
        .argParser(whole(2, 128))
        .default(100),
    )
    .addOption(providerOption)
    .addOption(
      new Option(
        "--threads <n>",
        "threads within one operator; the last bits of results depend on it: a run's figures come out again with the run's number",
      )
        .argParser(whole(1, 256))
        .default(1),
    )
    .addOption(
      new Option(
        "--jobs <n>",
        "engines side by side, which share the images; decides no figure (default: one for each --threads cores)",
      ).argParser(whole(1, 256)),
    )
    .option("--out <dir>", "folder for the record and the report (default: runs/audit- and the model's name)")
    .option("--fresh", "start over: forget what an earlier audit left in the folder")
    .option("--json", "print audit.json in place of the table")
    .action((model, flags) => auditFile(io, model, flags));
}
