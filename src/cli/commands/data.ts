// `temper data`: datasets on this machine – where they lie, fetching, checking.
import type { Command } from "@commander-js/extra-typings";
import { bytesText } from "../../base/bytes-text.js";
import { interruptible } from "../interrupt.js";
import { print, printJson, widthOf, type Io } from "../io.js";
import { progressView } from "../progress.js";
import { pairs } from "../text.js";

async function listAll(io: Io, json: boolean): Promise<void> {
  const { cacheFolder, listDatasets } = await import("../../data/index.js");
  const found = listDatasets();
  if (json)
    return void printJson(
      io,
      found.map(({ found: at, ...rest }) => ({ ...rest, found: at?.folder ?? null })),
    );
  for (const { name, title, licence, bytes, missing, found: at } of found) {
    const absent = missing.length === 0 ? "not here" : `incomplete, no ${missing.join(", ")}`;
    const place = at === undefined ? `${absent}; run: temper data fetch ${name}` : at.folder;
    const rows = [
      ["title", title],
      ["licence", licence],
      ["size", bytesText(bytes)],
      ["found", place],
    ] as const;
    print(
      io,
      `${name}\n${pairs(
        rows.map(([key, value]) => [`  ${key}`, value]),
        widthOf(io.out, io.env),
      )}`,
    );
  }
  print(io, `cache folder: ${cacheFolder()}`);
}

async function fetchOne(io: Io, name: string, json: boolean): Promise<void> {
  const { datasetNamed, fetchDataset } = await import("../../data/index.js");
  const source = datasetNamed(name);
  const view = await progressView(io);
  const messages = {
    view,
    stopping: "stopping …",
    stopped: `stopped; what has come is kept: run "temper data fetch ${name}" again to go on`,
  };
  const fetched = await interruptible(io, messages, (signal) =>
    fetchDataset(source, {
      signal,
      onProgress: ({ file, received, total }) => {
        const share = total === undefined ? 0 : received / total;
        const of = total === undefined ? "" : ` of ${bytesText(total)}`;
        view.update(file, { share, text: `${bytesText(received)}${of}` });
      },
    }),
  ).finally(view.stop);
  if (json) return void printJson(io, { name, ...fetched });
  const from = fetched.from === "cache" ? "it was there already" : `from ${fetched.from}`;
  print(io, `${name} is complete and checked in ${fetched.folder} (${from})`);
}

async function verify(io: Io, name: string | undefined, json: boolean): Promise<void> {
  const { datasetNamed, presentDatasets, verifyDataset } = await import("../../data/index.js");
  const { TemperError } = await import("../../base/errors.js");
  const sources = name === undefined ? presentDatasets() : [datasetNamed(name)];
  const reports = [];
  for (const source of sources)
    for (const report of await verifyDataset(source)) reports.push({ dataset: source.name, ...report });
  if (json) printJson(io, reports);
  else
    for (const { ok, path, bytes, md5 } of reports)
      print(
        io,
        md5 === null ? `missing ${path}` : `${ok ? "ok     " : "wrong  "} ${path} (${bytesText(bytes)})`,
      );
  if (!json && reports.length === 0)
    print(io, "no dataset is on this machine; temper data list shows what there is");
  const wrong = reports.find(({ ok }) => !ok);
  if (wrong) {
    const got = wrong.md5 === null ? "none" : `one with md5 ${wrong.md5}`;
    throw new TemperError(
      `${wrong.path}: expected the published file, got ${got}; to repair: temper data fetch ${wrong.dataset}`,
    );
  }
}

export function data(program: Command, io: Io): void {
  const group = program
    .command("data")
    .summary("list, fetch and check datasets")
    .description(
      "Datasets on this machine: where they lie, fetching, checking. TEMPER_CACHE in the environment names another cache folder.",
    )
    .helpCommand(false);
  group
    .command("list")
    .description("Lists the datasets, their licences, and where they were found.")
    .option("--json", "as JSON, for programs")
    .action(({ json }) => listAll(io, json === true));
  group
    .command("fetch")
    .description(
      "Fetches a dataset into the cache folder, or unpacks an archive of it that lies there; goes on where an earlier attempt stopped.",
    )
    .argument("<name>", "the dataset, as in: temper data list")
    .option("--json", "as JSON, for programs")
    .action((name, { json }) => fetchOne(io, name, json === true));
  group
    .command("verify")
    .description("Compares each file with its published checksum.")
    .argument("[name]", "the dataset; default: all that are here")
    .option("--json", "as JSON, for programs")
    .action((name, { json }) => verify(io, name, json === true));
}
