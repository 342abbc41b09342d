// Makes the report of a run or an audit and prints its table and where everything lies.
import { join, relative } from "node:path";
import { TemperError } from "../base/errors.js";
import { note, print, printJson, widthOf, type Io } from "./io.js";
import { pairs } from "./text.js";

/** As short as it can be said from here. */
const shown = (path: string): string => {
  const short = relative(process.cwd(), path);
  return short === "" ? "." : short.startsWith("..") ? path : short;
};

const places = (io: Io, folder: string, rows: readonly (readonly [name: string, file: string])[]): void =>
  print(
    io,
    `\n${pairs(
      rows.map(([name, file]) => [name, shown(join(folder, file))]),
      widthOf(io.out, io.env),
    )}`,
  );

const colors = ({ out, env }: Io) => ({ color: out.isTTY === true && env["NO_COLOR"] === undefined });

export interface ShowOptions {
  /** The record itself in place of table and paths. */
  readonly json?: boolean;
}

/** The report of the finished run in `folder`. */
export async function showRun(io: Io, folder: string, { json = false }: ShowOptions = {}): Promise<void> {
  const [{ readRun }, { terminalTable, writeReport }] = await Promise.all([
    import("../experiments/store.js"),
    import("../report/index.js"),
  ]);
  const record = await readRun(folder);
  if (io.err.isTTY === true) note(io, "writing the report …");
  await writeReport(folder, record);
  if (json) return void printJson(io, record.results);
  const { searches } = record.run;
  print(io, terminalTable(record.results, widthOf(io.out, io.env), { ...colors(io), searches }).trimEnd());
  places(io, folder, [
    ["report", "report.html"],
    ["results", "results.json"],
    ["models", "models"],
  ]);
}

/** The report of the audit in `folder`. */
export async function showAudit(io: Io, folder: string, { json = false }: ShowOptions = {}): Promise<void> {
  const [{ schemas }, { paths, readGallery, readJson }, { terminalAudit, writeAuditReport }] =
    await Promise.all([
      import("../experiments/records.js"),
      import("../experiments/store.js"),
      import("../report/index.js"),
    ]);
  const record = await readJson(join(folder, "audit.json"), schemas.audit);
  if (record === null)
    throw new TemperError(`${folder}: expected the folder of an audit, got one without audit.json`);
  await writeAuditReport(folder, record, await readGallery(join(folder, paths.worstImages)));
  if (json) return void printJson(io, record);
  print(io, terminalAudit(record, widthOf(io.out, io.env), colors(io)).trimEnd());
  places(io, folder, [
    ["report", "report.html"],
    ["record", "audit.json"],
  ]);
}
