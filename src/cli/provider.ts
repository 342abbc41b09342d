// Whether a provider works on this machine, found out without noise.
import { Option } from "@commander-js/extra-typings";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { TemperError } from "../base/errors.js";
import { providers } from "../runtime/providers.js";

/** `--provider`, of every command that computes. */
export const providerOption = new Option("--provider <name>", "where to compute")
  .choices(providers)
  .default("cpu" as const);

export interface ProviderState {
  readonly provider: string;
  readonly works: boolean;
  /** Why it does not. */
  readonly reason?: string;
}

/** Runs x + 1 on a provider in this process. */
export async function probeHere(provider: string): Promise<ProviderState> {
  const [
    { exportFunction },
    { graphFunction },
    { input },
    { add },
    { localEngine },
    { loadOrt },
    { floats },
  ] = await Promise.all([
    import("../onnx/export.js"),
    import("../graph/function.js"),
    import("../graph/node.js"),
    import("../ops/arithmetic.js"),
    import("../runtime/engine.js"),
    import("../runtime/ort.js"),
    import("../base/tensor.js"),
  ]);
  const x = input("x", [2]);
  const file = exportFunction(graphFunction("probe", [x], { y: add(x, 1) }));
  try {
    if (!(await loadOrt()).listSupportedBackends().some(({ name }) => name === provider))
      return { provider, works: false, reason: `ONNX Runtime for ${process.platform} does not have it` };
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

/** The same in a process of its own: drivers of graphics cards write to stderr and can take the whole process with them. */
async function probeApart(provider: string): Promise<ProviderState> {
  const module = new URL("./provider.js", import.meta.url);
  // Run from TypeScript sources there is no compiled module beside this file.
  if (!existsSync(module)) return probeHere(provider);
  const program = `const { probeHere } = await import(${JSON.stringify(module.href)});
    console.log(JSON.stringify(await probeHere(${JSON.stringify(provider)})));`;
  const apart = promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], {
    timeout: 60_000,
  });
  const ended = await apart.catch((error: unknown) => error as { stdout?: string; signal?: string | null });
  try {
    return JSON.parse(ended.stdout ?? "") as ProviderState;
  } catch {
    const signal = "signal" in ended && ended.signal ? ` (${ended.signal})` : "";
    return { provider, works: false, reason: `its process died${signal}` };
  }
}

/** Whether `provider` works here. */
export const probe = (provider: string): Promise<ProviderState> =>
  provider === "cpu" ? probeHere(provider) : probeApart(provider);

/** Throws unless `provider` works here; takes it of the processor. */
export async function checkProvider(provider: string): Promise<void> {
  if (provider === "cpu") return;
  const { works, reason } = await probe(provider);
  if (!works)
    throw new TemperError(
      `the engine does not work on ${provider}: ${reason ?? "unknown"}; see: temper doctor`,
    );
}
