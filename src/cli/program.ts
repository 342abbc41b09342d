// The command `temper`: its subcommands, one file each, and the way from words to an exit code.
import { Command, CommanderError } from "@commander-js/extra-typings";
import { readFileSync } from "node:fs";
import { commands } from "./commands/index.js";
import { completion } from "./completion.js";
import { reportFailure, type ExitCode } from "./failure.js";
import { maxWidth, widthOf, type Io } from "./io.js";

const version = (): string => {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
};

const description =
  "Hardens neural-network classifiers against adversarial examples, and measures how far that went.";

const examples = `
Begin with:
  temper run quickstart            five methods on MNIST, a report at the end
  temper audit model.onnx --dataset mnist --epsilon 0.1
  temper list methods              what there is, with all options`;

/** Commander's `error: …`, hint and all, as one line of Temper's. */
const usageLine = (text: string): string =>
  `temper: ${text
    .replace(/^error: /, "")
    .trim()
    .replace(/\s*\n\s*/g, " ")}\n`;

function createProgram(io: Io): Command {
  const program = new Command("temper");
  program
    .description(description)
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help for a command")
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => void io.out.write(text),
      writeErr: (text) => void io.err.write(text),
      outputError: (text, write) => write(usageLine(text)),
      getOutHelpWidth: () => widthOf(io.out, io.env),
      getErrHelpWidth: () => Math.min(maxWidth, widthOf(io.err, io.env)),
    })
    .addHelpText("after", examples);
  for (const add of commands) add(program, io);
  return program;
}

/** Runs `temper` with `args` (without the program's name); never throws. */
export async function runCli(args: readonly string[], io: Io): Promise<ExitCode> {
  try {
    const program = createProgram(io);
    await completion(program, args);
    await program.parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.code === "commander.help") return 2;
    return reportFailure(io, error);
  }
}
