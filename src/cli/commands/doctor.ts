// `temper doctor`: what this machine offers and whether the engine works on it.
import { Option, type Command } from "@commander-js/extra-typings";
import { statfs } from "node:fs/promises";
import { availableParallelism, cpus, platform, release } from "node:os";
import { bytesText } from "../../base/bytes-text.js";
import { TemperError } from "../../base/errors.js";
import { print, printJson, widthOf, type Io } from "../io.js";
import { providers, type Provider } from "../../runtime/providers.js";
import { probe } from "../provider.js";
import { pairs } from "../text.js";

async function inspect(only: Provider | undefined) {
  const [{ onnxruntimeVersion, temperVersion }, { machineMemory }, { cacheFolder, listDatasets }] =
    await Promise.all([
      import("../../experiments/environment.js"),
      import("../../experiments/machine-memory.js"),
      import("../../data/index.js"),
    ]);
  const disk = await statfs(process.cwd()).catch(() => null);
  return {
    temper: temperVersion(),
    node: process.version,
    onnxruntime: onnxruntimeVersion(),
    platform: `${platform()} ${release()} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memory: machineMemory(),
    disk: { folder: process.cwd(), free: disk ? disk.bavail * disk.bsize : null },
    cache: cacheFolder(),
    datasets: listDatasets().map(({ name, found }) => ({ name, folder: found?.folder ?? null })),
    providers: await Promise.all((only === undefined ? providers : [only]).map(probe)),
  };
}

type Findings = Awaited<ReturnType<typeof inspect>>;

function rowsOf(found: Findings): (readonly [string, string])[] {
  const { memory, disk, datasets, providers } = found;
  return [
    ["Temper", found.temper],
    ["Node", found.node],
    ["ONNX Runtime", found.onnxruntime],
    ["platform", found.platform],
    ["processor", `${found.processor}, ${found.cores} cores`],
    ["memory", `${bytesText(memory.total)}, ${bytesText(memory.free)} free`],
    ["disk", disk.free === null ? "unknown" : `${bytesText(disk.free)} free in ${disk.folder}`],
    ["cache", found.cache],
    ...datasets.map(
      ({ name, folder }) => [name, folder ?? `not here; run: temper data fetch ${name}`] as const,
    ),
    ...providers.map(
      ({ provider, works, reason }) =>
        [provider, works ? "works" : `does not work: ${reason ?? ""}`] as const,
    ),
  ];
}

export function doctor(program: Command, io: Io): void {
  program
    .command("doctor")
    .summary("what this machine offers")
    .description(
      "Shows versions, processor, memory, disk, datasets, and which providers work on this machine.",
    )
    .addOption(new Option("--provider <name>", "try this one only (default: all)").choices(providers))
    .option("--json", "as JSON, for programs")
    .action(async ({ provider, json }) => {
      const found = await inspect(provider);
      if (json === true) printJson(io, found);
      else print(io, pairs(rowsOf(found), widthOf(io.out, io.env)));
      const bad = found.providers.find((each) => each.provider === (provider ?? "cpu") && !each.works);
      if (bad)
        throw new TemperError(`the engine does not work on ${bad.provider}: ${bad.reason ?? "unknown"}`);
    });
}
