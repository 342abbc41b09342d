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
  "preprocessors",
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

/** What an attack takes, on a line of its own; nothing for anything else. */
function factsText({ kind, norms, needsEpsilon, classes, targeted }: Entry): string[] {
  if (kind === undefined || norms === undefined || classes === undefined) return [];
  const radius = needsEpsilon === true ? "needs ε" : "nearest point, ε optional";
  const aim = targeted === true ? [] : ["not targeted"];
  return [[norms.join(", "), kind, radius, `${classes} classes or more`, ...aim].join("; ")];
}

const entryText = (each: Entry, width: number): string =>
  [
    entry(each.name, each.summary, 22, width),
    ...factsText(each).map((facts) => entry("", facts, 22, width)),
    ...each.options.map((option) => optionText(option, width)),
  ].join("\n");

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
