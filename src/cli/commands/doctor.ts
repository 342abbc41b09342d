// `temper doctor`: what this machine offers and whether the engine works on it.
import { Option, type Command } from "@commander-js/extra-typings";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { availableParallelism, cpus, freemem, platform, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { TemperError } from "../../base/errors.js";
import { print, printJson, widthOf, type Io } from "../io.js";
import { bytesText, pairs } from "../text.js";

interface ProviderState {
  readonly provider: string;
  readonly works: boolean;
  /** Why it does not. */
  readonly reason?: string;
}

/** Runs x + 1 on a provider in this process. */
async function probe(provider: string): Promise<ProviderState> {
  const [{ exportFunction }, { graphFunction }, { input }, { add }, { localEngine }, { floats }] =
    await Promise.all([
      import("../../onnx/export.js"),
      import("../../graph/function.js"),
      import("../../graph/node.js"),
      import("../../ops/arithmetic.js"),
      import("../../runtime/engine.js"),
      import("../../base/tensor.js"),
    ]);
  const x = input("x", [2]);
  const file = exportFunction(graphFunction("probe", [x], { y: add(x, 1) }));
  try {
    const program = await localEngine({ provider, threads: 1 }).load(file);
    const { y } = await program.run({ x: floats([2], [1, 2]) });
    await program.release();
    const right = y?.data[0] === 2 && y.data[1] === 3;
    return { provider, works: right, ...(!right && { reason: "it computed something wrong" }) };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    // ONNX Runtime puts its own source line in front of the reason.
    return { provider, works: false, reason: text.replace(/^engine: [^:]*: (.*\bwas false\. )?/, "") };
  }
}

/** The same in a process of its own: drivers of graphics cards can take the whole process with them. */
async function probeApart(provider: string): Promise<ProviderState> {
  const program = fileURLToPath(new URL("../main.js", import.meta.url));
  if (!existsSync(program)) return probe(provider);
  const args = [program, "doctor", "--provider", provider, "--json"];
  const apart = promisify(execFile)(process.execPath, args, { timeout: 60_000 });
  const ended = await apart.catch((error: unknown) => error as { stdout?: string; signal?: string | null });
  try {
    const found = JSON.parse(ended.stdout ?? "") as { providers: ProviderState[] };
    return found.providers[0] ?? { provider, works: false };
  } catch {
    const signal = "signal" in ended && ended.signal ? ` (${ended.signal})` : "";
    return { provider, works: false, reason: `its process died${signal}` };
  }
}

/** Providers whose code is in the installed package. */
async function bundledProviders(): Promise<string[]> {
  const { loadOrt } = await import("../../runtime/ort.js");
  const listed = (await loadOrt()).listSupportedBackends();
  return listed.flatMap(({ name, bundled }) => (bundled ? [name] : []));
}

async function providersHere(only: string | undefined): Promise<ProviderState[]> {
  if (only !== undefined) return [await probe(only)];
  const names = await bundledProviders().catch((error: unknown) => error as Error);
  if (names instanceof Error) return [{ provider: "cpu", works: false, reason: names.message }];
  return Promise.all(names.map((name) => (name === "cpu" ? probe(name) : probeApart(name))));
}

async function inspect(only: string | undefined) {
  const [{ onnxruntimeVersion, temperVersion }, { cacheFolder, listDatasets }] = await Promise.all([
    import("../../experiments/environment.js"),
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
    memory: { total: totalmem(), free: freemem() },
    disk: { folder: process.cwd(), free: disk ? disk.bavail * disk.bsize : null },
    cache: cacheFolder(),
    datasets: listDatasets().map(({ name, found }) => ({ name, folder: found?.folder ?? null })),
    providers: await providersHere(only),
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
    .addOption(new Option("--provider <name>", "try this one only (default: all that are installed)"))
    .option("--json", "as JSON, for programs")
    .action(async ({ provider, json }) => {
      const found = await inspect(provider);
      if (json === true) printJson(io, found);
      else print(io, pairs(rowsOf(found), widthOf(io.out)));
      const bad = found.providers.find((each) => each.provider === (provider ?? "cpu") && !each.works);
      if (bad)
        throw new TemperError(`the engine does not work on ${bad.provider}: ${bad.reason ?? "unknown"}`);
    });
}
