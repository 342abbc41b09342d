// `temper run`: a recipe from data to report; goes on where it stopped.
import { Option, type Command } from "@commander-js/extra-typings";
import { dirname, join } from "node:path";
import type { RunEvent } from "../../experiments/run-options.js";
import { readText } from "../files.js";
import { interruptible } from "../interrupt.js";
import { note, type Io } from "../io.js";
import { printNotes } from "../model-notes.js";
import { amount, repeated, whole } from "../parse.js";
import { attackStage, epochText, progressView, trainingStep, type ProgressView } from "../progress.js";
import { checkProvider, providerOption } from "../provider.js";
import { recipeFile } from "../recipe-file.js";
import { showRun } from "../show.js";
import { foundText } from "../../report/search-text.js";
import { plural, smokeText } from "../../report/text.js";
import { movingInputsText } from "../text.js";

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** Shows what happens in bars or lines. */
function follow(view: ProgressView): (event: RunEvent) => void {
  const speeds = new Map<string, number>();
  const epochs = new Map<string, number>();
  const stages = new Map<string, string>();
  let [done, total] = [0, 0];
  const finish = (trial: string, text: string): void => {
    if (total > 1) view.tally(++done, total);
    view.finish(trial, text);
  };
  return (event) => {
    switch (event.kind) {
      case "start":
        total = event.trials.length;
        if (total > 1) view.tally(0, total);
        for (const trial of event.finished) finish(trial, "done before");
        return;
      case "search":
        return view.say(`search of ${event.search}: ${plural(event.candidates, "candidate")}`);
      case "measured":
        return view.finish(
          event.trial,
          event.accuracy === null
            ? `no good: its loss was no number before the end of epoch ${event.epochs}`
            : `${percent(event.accuracy)} right on validation images after epoch ${event.epochs}`,
        );
      case "found":
        return view.say(`search of ${event.search}: ${foundText(event.record)}`);
      case "moving-inputs":
        return view.say(`${event.trial}: ${movingInputsText(event.bytes)}`);
      case "images":
        return view.say(event.text);
      case "preprocessing":
        return view.say(`${event.dataset}: fitting the preprocessing to the training images, once`);
      case "training":
        speeds.set(event.trial, event.progress.imagesPerSecond);
        epochs.set(event.trial, event.progress.epochs);
        return view.update(event.trial, trainingStep(event.progress));
      case "epoch": {
        const { epoch, metrics } = event.line;
        const text = epochText(
          epoch,
          epochs.get(event.trial) ?? epoch,
          metrics["loss"] ?? NaN,
          speeds.get(event.trial),
        );
        return view.line(event.trial, text);
      }
      case "evaluation": {
        const { progress } = event;
        const doing = attackStage(progress.doing);
        if (stages.get(event.trial) !== doing) view.begin(event.trial, `evaluating: ${doing}`);
        stages.set(event.trial, doing);
        return view.update(event.trial, { share: progress.done / progress.total, text: doing });
      }
      case "failed":
        return view.finish(event.trial, `failed: ${event.message}`);
      case "done":
        return finish(event.trial, `done, ${percent(event.result.row.clean)} right on clean images`);
    }
  };
}

interface RunFlags {
  readonly out?: string;
  readonly only: readonly string[];
  readonly smoke?: true;
  readonly fresh?: true;
  readonly jobs?: number;
  readonly provider: string;
  readonly checkpointEvery: number;
  readonly json?: true;
}

async function runFile(io: Io, given: string, flags: RunFlags): Promise<void> {
  const path = await recipeFile(given);
  const text = await readText(path, "a recipe");
  const [{ parseRecipe }, { runRecipe }, { smokeName, smokeNotes }] = await Promise.all([
    import("../../experiments/recipe-file.js"),
    import("../../experiments/run.js"),
    import("../../experiments/smoke.js"),
  ]);
  const recipe = parseRecipe(text, path);
  const smoke = flags.smoke === true;
  const name = smoke ? smokeName(recipe) : recipe.name;
  const folder = flags.out ?? join("runs", name);
  await checkProvider(flags.provider);
  if (smoke) printNotes(io, [smokeText(smokeNotes(recipe.cases, dirname(path)))]);
  const view = await progressView(io);
  const messages = {
    view,
    stopping: "stopping: saving what is done (Ctrl-C again ends at once) …",
    stopped: `stopped, everything is saved in ${folder}; the same command goes on from there`,
  };
  const { alreadyDone } = await interruptible(io, messages, (signal) =>
    runRecipe({
      recipe,
      text,
      folder,
      base: dirname(path),
      signal,
      only: flags.only,
      smoke,
      fresh: flags.fresh === true,
      provider: flags.provider,
      checkpointEvery: flags.checkpointEvery,
      ...(flags.jobs !== undefined && { jobs: flags.jobs }),
      onEvent: follow(view),
    }),
  ).finally(view.stop);
  const asked = flags.only.length === 0 ? `All of ${name}` : `What was asked for of ${name}`;
  if (alreadyDone) note(io, `${asked} is done already; --fresh starts over.`);
  await showRun(io, folder, { json: flags.json === true });
}

export function run(program: Command, io: Io): void {
  program
    .command("run")
    .summary("run a recipe: train, evaluate, report")
    .description(
      "Trains and evaluates everything a recipe names, and writes models, figures and a report. " +
        "Stopped at any moment and run again, it goes on, with the same results.",
    )
    .argument("<recipe>", "a recipe's file, or a name out of: temper list recipes")
    .option("--out <dir>", "folder for everything (default: runs/ and the recipe's name)")
    .addOption(
      new Option(
        "--only <pattern>",
        "run only the trials whose names match, like 'sgm-*'; may be repeated; the folder is shared with the others",
      )
        .argParser(repeated)
        .default([], "all"),
    )
    .option(
      "--smoke",
      "see that all of the recipe works: few images, epochs and steps of attacks, in a folder of its own",
    )
    .option("--fresh", "start over: remove what an earlier run left in the folder")
    .addOption(
      new Option(
        "--jobs <n>",
        "trials side by side; the results do not depend on it (default: one per core)",
      ).argParser(whole(1, 256)),
    )
    .addOption(providerOption)
    .addOption(
      new Option("--checkpoint-every <seconds>", "seconds between saved states")
        .argParser(amount)
        .default(15),
    )
    .option("--json", "print results.json in place of the table")
    .action((recipe, flags) => runFile(io, recipe, flags));
}
