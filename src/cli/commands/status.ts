// `temper status`: how far a run is, while it is at work or not.
import type { Command } from "@commander-js/extra-typings";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { check } from "../../base/errors.js";
import { readText } from "../files.js";
import { print, printJson, widthOf, type Io } from "../io.js";
import { recipeFile } from "../recipe-file.js";
import { statusText } from "../status-text.js";

interface StatusFlags {
  readonly out?: string;
  readonly json?: true;
}

const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => null))?.isDirectory() === true;

async function show(io: Io, given: string, { out, json }: StatusFlags): Promise<void> {
  const { runStatus } = await import("../../experiments/status-facts.js");
  const read = async () => {
    if (await isFolder(given)) {
      check(out === undefined, "status --out", "a recipe's file before it", () => `the folder ${given}`);
      return runStatus(given);
    }
    const { parseRecipe } = await import("../../experiments/recipe-file.js");
    const path = await recipeFile(given);
    const recipe = parseRecipe(await readText(path, "a recipe or the folder of a run"), path);
    return runStatus(out ?? join("runs", recipe.name), { recipe, base: dirname(path) });
  };
  const status = await read();
  if (json === true) return void printJson(io, status);
  print(io, statusText(status, widthOf(io.out, io.env)));
}

export function status(program: Command, io: Io): void {
  program
    .command("status")
    .summary("how far a run is, and the time left")
    .description(
      "Shows the trials of a run, how far each is, and the time that is left, from what was measured so far; " +
        "before a recipe's first run all of them wait. " +
        "It only reads: the run may be at work meanwhile.",
    )
    .argument("<run>", "a recipe's file or name, or the folder of a run")
    .option("--out <dir>", "folder of the recipe's run (default: runs/ and the recipe's name)")
    .option("--json", "as JSON, for programs")
    .action((given, flags) => show(io, given, flags));
}
