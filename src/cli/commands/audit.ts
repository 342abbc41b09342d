// `temper audit`: how an ONNX classifier stands under attack.
import { Option, type Command } from "@commander-js/extra-typings";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { check, fail } from "../../base/errors.js";
import type { Gallery } from "../../experiments/records.js";
import { corruptionsFor, corruptionsOption, severitiesOption } from "../corruptions.js";
import { entriesOf, readBytes } from "../files.js";
import { interruptible } from "../interrupt.js";
import { note, type Io } from "../io.js";
import { printNotes } from "../model-notes.js";
import { repeated, whole, words } from "../parse.js";
import {
  checkHostSteps,
  datasetText,
  preprocessingFor,
  preprocessOption,
  splitOption,
} from "../preprocessing.js";
import { attackStage, progressView } from "../progress.js";
import { checkProvider, providerOption } from "../provider.js";
import { readSettings } from "../settings.js";
import { showAudit } from "../show.js";
import { transferModels, transferOption } from "../transfer.js";

interface AuditFlags {
  readonly dataset: string;
  readonly split?: "test" | "train";
  readonly preprocess: readonly string[];
  readonly attack?: readonly string[];
  readonly epsilon?: readonly string[];
  readonly norm: "linf" | "l2" | "l1";
  readonly targeted?: boolean;
  readonly transferFrom: readonly string[];
  readonly set: readonly string[];
  readonly limit?: number;
  readonly corruptions?: readonly string[];
  readonly severities?: readonly number[];
  readonly labels: "true" | "predicted";
  readonly seed: number;
  readonly batchSize: number;
  readonly provider: string;
  readonly threads: number;
  readonly jobs?: number;
  readonly out?: string;
  readonly json?: true;
}

/** What a stopped audit leaves behind. */
const journalName = "audit.journal.jsonl";

/** A new folder, or one that an audit has written before. */
async function checkFolder(folder: string): Promise<void> {
  const entries = await entriesOf(folder);
  check(
    entries.length === 0 ||
      ((entries.includes("audit.json") || entries.includes(journalName)) && !entries.includes("run.json")),
    folder,
    "an empty folder or one of Temper's audits",
    () => `a folder with ${entries.slice(0, 3).join(", ")}${entries.length > 3 ? ", …" : ""}`,
  );
}

/** Without a choice: one step, many, and the fast form of AutoAttack. */
const defaults: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  fgsm: {},
  pgd: {},
  autoattack: { version: "fast" },
};

async function plansOf({ attack, epsilon, norm, targeted = false, set, corruptions }: AuditFlags) {
  const [{ readAttack }, { make }] = await Promise.all([
    import("../../experiments/attack-plan.js"),
    import("../../experiments/recipe.js"),
  ]);
  // Corruptions alone are run where neither attacks nor radii for them are named.
  const names = attack ?? (corruptions && epsilon === undefined ? [] : Object.keys(defaults));
  const settings = await readSettings(set, { units: names, main: names });
  for (const name of names)
    for (const key of ["epsilon", "norm"])
      if (key in (settings[name] ?? {}))
        fail(`--set ${name}.${key}`, `an option of ${name}`, key, `--${key}`);
  return [...new Set(names)].map((name) => {
    const own = { ...(attack ? {} : defaults[name]), ...settings[name] };
    const plan = readAttack({ [name]: { ...own, epsilon: epsilon ?? 0, norm, targeted } });
    if (epsilon !== undefined) return plan;
    const { nearest = false } = make.attack(plan);
    return nearest
      ? { ...plan, epsilons: [] }
      : fail("audit --epsilon", `radii for ${name}, like 0.1,8/255`, "none");
  });
}

async function auditFile(io: Io, path: string, flags: AuditFlags): Promise<void> {
  check(flags.out !== "", "audit --out", "a folder", () => "an empty word");
  const folder = flags.out ?? join("runs", `audit-${basename(path, ".onnx")}`);
  const attacks = await plansOf(flags);
  const { corruptions: names, severities, ...given } = flags;
  const transferFrom = await transferModels(io, attacks, flags);
  const disturbances = await corruptionsFor(names, severities);
  const file = await readBytes(path, "an ONNX file");
  await checkFolder(folder);
  await checkProvider(flags.provider);
  const [
    { audit: runAudit },
    { openImagesFor, sourceOf },
    { openEngines, closeEngines },
    { paths, writeGallery, writeJson },
  ] = await Promise.all([
    import("../../experiments/audit.js"),
    import("../../experiments/images.js"),
    import("../../experiments/engines.js"),
    import("../../experiments/store.js"),
  ]);
  await sourceOf(flags.dataset);
  const { preprocessing, notes } = await preprocessingFor(path, flags.preprocess);
  const { images: dataset, notes: about } = await openImagesFor(path, file, flags.dataset, {
    ...flags,
    preprocessing,
  });
  checkHostSteps(flags.preprocess, dataset);
  printNotes(io, [...about, ...notes, ...dataset.notes]);
  const view = await progressView(io);
  const messages = { view, stopping: "stopping …", stopped: "stopped; the same command goes on from here" };
  const bytes = [file, ...transferFrom.map((source) => source.file)].reduce(
    (sum, { length }) => sum + length,
    0,
  );
  const engines = openEngines(bytes, flags);
  let stage = "";
  const images: { worst: Gallery | null } = { worst: null };
  const record = await interruptible(io, messages, (signal) =>
    runAudit({
      ...given,
      ...disturbances,
      file,
      path,
      dataset,
      preprocessing,
      attacks,
      transferFrom,
      engines,
      journal: join(folder, journalName),
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
  ).finally(async () => {
    view.stop();
    await closeEngines(engines);
  });
  if (images.worst === null) await rm(join(folder, paths.worstImages), { force: true });
  else await writeGallery(join(folder, paths.worstImages), images.worst);
  await writeJson(join(folder, "audit.json"), record);
  await showAudit(io, folder, { json: flags.json === true });
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
    .addOption(
      new Option(
        "--attack <names>",
        "attacks out of: temper list attacks; separated by commas (default: fgsm, pgd and autoattack's fast version)",
      ).argParser(words),
    )
    .addOption(
      new Option(
        "--epsilon <radii>",
        "radii in units of pixels in [0, 1], like 0.1,8/255; separated by commas (attacks that look for the nearest point need none)",
      ).argParser(words),
    )
    .addOption(
      new Option("--norm <name>", "norm of the radii").choices(["linf", "l2", "l1"]).default("linf" as const),
    )
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
      new Option("--seed <n>", "decides random starts, and the order of a folder")
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
    .option("--json", "print audit.json in place of the table")
    .action((model, flags) => auditFile(io, model, flags));
}
