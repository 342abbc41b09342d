// The machine and the versions that a table belongs to.
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { environment } from "../dist/experiments/environment.js";

/** What /proc/cpuinfo adds to a name like "AMD EPYC": family, model and the widest vectors. */
function processorDetails() {
  let text;
  try {
    text = readFileSync("/proc/cpuinfo", "utf8");
  } catch {
    return "";
  }
  const field = (name) => new RegExp(`^${name}\\s*: (.*)$`, "m").exec(text)?.[1];
  const flags = field("flags")?.split(" ") ?? [];
  const vectors = flags.includes("avx512f") ? "AVX-512" : flags.includes("avx2") ? "AVX2" : undefined;
  const [family, model] = [field("cpu family"), field("model")];
  const details = [family && `family ${family}`, model && `model ${model}`, vectors].filter(Boolean);
  return details.length > 0 ? ` (${details.join(", ")})` : "";
}

export function describeMachine() {
  const threads = availableParallelism();
  const { temper, commit, node, onnxruntime, platform } = environment({ provider: "cpu", threads, jobs: 1 });
  return {
    processor: `${cpus()[0]?.model.trim() ?? "unknown"}${processorDetails()}`,
    cores: threads,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform,
    temper:
      commit === null
        ? temper
        : `${temper} (${commit.slice(0, 7)}${commit.endsWith("+") ? " with changes" : ""})`,
    node,
    onnxruntime,
  };
}
