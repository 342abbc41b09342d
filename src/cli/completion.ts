// `temper complete SHELL`: a script that completes commands, options and names; made by @bomb.sh/tab.
import type { Command } from "@commander-js/extra-typings";

/** Options whose values are names of a kind, by command and option. */
const named = {
  audit: { attack: "attacks", corruptions: "corruptions", dataset: "datasets" },
  harden: { augment: "augmentations", defense: "methods", dataset: "datasets", optimizer: "optimizers" },
  export: { attack: "attacks" },
  "models describe": { defense: "methods", dataset: "datasets", optimizer: "optimizers" },
} as const;

async function namesOf(
  kind: "attacks" | "augmentations" | "corruptions" | "datasets" | "methods" | "optimizers",
): Promise<string[]> {
  const { catalogue } = await import("./catalogue.js");
  return catalogue(kind).map(({ name }) => name);
}

/** Adds the command `complete`; its library is loaded only when it is asked for. */
export async function completion(program: Command, args: readonly string[]): Promise<void> {
  if (args[0] !== "complete") {
    program
      .command("complete")
      .summary("print a script that completes commands in a shell")
      .description("Prints a script for the shell: temper complete bash >> ~/.bashrc")
      .argument("[shell]", "zsh, bash, fish or powershell");
    return;
  }
  const { default: tab } = await import("@bomb.sh/tab/commander");
  const root = tab(program as unknown as Parameters<typeof tab>[0]);
  for (const [command, options] of Object.entries(named))
    for (const [option, kind] of Object.entries(options)) {
      const names = await namesOf(kind);
      const found = root.commands.get(command)?.options.get(option);
      if (found) found.handler = (complete) => names.forEach((name) => complete(name, ""));
    }
}
