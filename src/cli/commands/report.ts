// `temper report`: the report of a run or an audit, made anew from its records.
import type { Command } from "@commander-js/extra-typings";
import { check, fail } from "../../base/errors.js";
import { entriesOf } from "../files.js";
import { note, type Io } from "../io.js";
import { showAudit, showRun } from "../show.js";

async function rebuild(io: Io, folder: string): Promise<void> {
  const entries = await entriesOf(folder);
  if (entries.includes("run.json")) return showRun(io, folder);
  const stopped = entries.includes("audit.journal.jsonl");
  if (stopped && !entries.includes("audit.json"))
    fail(folder, "a finished audit", "one that was stopped; temper audit as before goes on with it");
  if (stopped) note(io, "The last audit here was stopped: this is the one before it.");
  check(entries.includes("audit.json"), folder, "the folder of a run or an audit", () =>
    entries.length === 0 ? "none, or an empty one" : "one without run.json and audit.json",
  );
  return showAudit(io, folder);
}

export function report(program: Command, io: Io): void {
  program
    .command("report")
    .summary("rebuild the report of a run or an audit")
    .description("Rebuilds report.html, report.md and the figures from a run's or an audit's records.")
    .argument("<dir>", "folder of a run or an audit")
    .action((folder) => rebuild(io, folder));
}
