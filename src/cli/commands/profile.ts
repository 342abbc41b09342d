// `temper profile`: where a training step's time goes.
import { Option, type Command } from "@commander-js/extra-typings";
import { dirname, join } from "node:path";
import { check } from "../../base/errors.js";
import type { StepProfile } from "../../experiments/records.js";
import { readText } from "../files.js";
import { note, print, printJson, widthOf, type Io } from "../io.js";
import { whole } from "../parse.js";
import { recipeFile } from "../recipe-file.js";
import { pairs } from "../text.js";

interface ProfileFlags {
  readonly method?: string;
  readonly steps?: number;
  readonly threads?: number;
  readonly out?: string;
  readonly json?: string | true;
}

async function measure(
  io: Io,
  given: string,
  { method, steps, threads }: ProfileFlags,
): Promise<StepProfile> {
  const path = await recipeFile(given);
  const text = await readText(path, "a recipe");
  const [{ parseRecipe }, { profileStep }] = await Promise.all([
    import("../../experiments/recipe-file.js"),
    import("../../experiments/profile.js"),
  ]);
  const recipe = parseRecipe(text, path);
  const say = (rounds: number): void => note(io, `measuring ${rounds} rounds …`);
  const onProgress = (done: number, rounds: number): void => (done === 0 ? say(rounds) : undefined);
  return profileStep({ recipe, method, steps, threads, ...(io.err.isTTY === true && { onProgress }) });
}

/** Writes page, record and figure; returns what lies where. */
async function keep(profile: StepProfile, { out, json }: ProfileFlags): Promise<[string, string][]> {
  const [{ paths, writeJson }, { profilePage, writeProfileReport }, { makeFolder, writeWhole }] =
    await Promise.all([
      import("../../experiments/store.js"),
      import("../../report/index.js"),
      import("../../data/disk.js"),
    ]);
  const places: [string, string][] = [];
  if (out?.endsWith(".html") === true) {
    await makeFolder(dirname(out));
    await writeWhole(out, profilePage(profile));
    places.push(["report", out]);
  } else {
    const folder = out ?? join("runs", profile.recipe, paths.profiles);
    await makeFolder(folder);
    const name = (ending: string): string => join(folder, `${profile.method}.${ending}`);
    await writeJson(name("json"), profile);
    await writeProfileReport(folder, profile);
    places.push(["report", name("html")], ["record", name("json")]);
  }
  if (typeof json === "string") {
    await makeFolder(dirname(json));
    await writeJson(json, profile);
    places.push(["copy", json]);
  }
  return places;
}

async function profileRecipe(io: Io, given: string, flags: ProfileFlags): Promise<void> {
  const { json } = flags;
  const fits = typeof json !== "string" || json.endsWith(".json");
  check(fits, "profile --json", "a file that ends in .json", () => `'${String(json)}'`);
  const profile = await measure(io, given, flags);
  const places = await keep(profile, flags);
  if (json === true) return void printJson(io, profile);
  const { terminalProfile } = await import("../../report/index.js");
  const width = widthOf(io.out, io.env);
  const color = io.out.isTTY === true && io.env["NO_COLOR"] === undefined;
  print(io, terminalProfile(profile, width, { color }));
  print(io, pairs(places, width));
}

export function profile(program: Command, io: Io): void {
  program
    .command("profile")
    .summary("where a training step's time goes")
    .description(
      "Runs the training step of a recipe's method on random images, in turns with and without ONNX Runtime's " +
        "profiler, and says by pass, layer, operator and kernel where the time goes. Trains nothing. A later report " +
        "of the recipe's run shows it too.",
    )
    .argument("<recipe>", "a recipe's file, or a name out of: temper list recipes")
    .option("--method <name>", "which method of the recipe (default: the only one)")
    .addOption(
      new Option("--steps <n>", "steps to measure (default: about two seconds' worth)").argParser(whole(1)),
    )
    .addOption(
      new Option("--threads <n>", "threads within one operator (default: the recipe's)").argParser(
        whole(1, 256),
      ),
    )
    .option(
      "--out <path>",
      "folder for page, figure and record, or an .html file for the page (default: profiles/ in the run's folder)",
    )
    .option("--json [file]", "print the record as JSON in place of the tables, or write it to a file too")
    .action((recipe, flags) => profileRecipe(io, recipe, flags));
}
