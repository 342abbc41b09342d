// `temper list`: what can be named, with every option.
import { Argument, type Command } from "@commander-js/extra-typings";
import type { Entry, OptionInfo } from "../catalogue.js";
import { print, printJson, widthOf, type Io } from "../io.js";
import { entry } from "../text.js";

const kinds = [
  "methods",
  "attacks",
  "models",
  "optimizers",
  "augmentations",
  "corruptions",
  "datasets",
  "recipes",
] as const;

const valueText = (value: unknown): string =>
  typeof value === "string" ? value : JSON.stringify(value).replaceAll(",", ", ");

function optionText({ name, type, required, description, ...rest }: OptionInfo, width: number): string {
  const standard = rest.default === undefined ? "" : `; default ${valueText(rest.default)}`;
  const facts = `${type.replaceAll("|", " | ")}${required ? "; required" : standard}`;
  return entry(`  ${name}`, description === "" ? facts : `${description} (${facts})`, 20, width);
}

const entryText = ({ name, summary, options }: Entry, width: number): string =>
  [entry(name, summary, 22, width), ...options.map((option) => optionText(option, width))].join("\n");

export function list(program: Command, io: Io): void {
  program
    .command("list")
    .summary("methods, attacks, models … with all options")
    .description("Lists what can be named on the command line and in recipes, with all options.")
    .addArgument(new Argument("<kind>", "what to list").choices(kinds))
    .option("--json", "as JSON, for programs")
    .action(async (kind, { json }) => {
      const { catalogue } = await import("../catalogue.js");
      const entries = catalogue(kind);
      if (json === true) return printJson(io, entries);
      const gap = entries.some(({ options }) => options.length > 0) ? "\n\n" : "\n";
      print(io, entries.map((each) => entryText(each, widthOf(io.out, io.env))).join(gap));
    });
}
