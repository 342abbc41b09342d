// Kernels of a profile under the names of the graph: scope, operation and the multiply-adds that it declares.
import type { Node } from "../graph/node.js";
import type { Written } from "../onnx/writer.js";
import type { KernelTimes } from "../runtime/profiler.js";
import type { KernelRecord } from "./records.js";

/** Where ONNX Runtime's own kernels stand: changes of layout that no node of the file asked for. */
export const engineScope = "onnxruntime";

/** The file's node behind a kernel: ONNX Runtime names the nodes that it makes after those that they replace. */
function finder(written: readonly Written[]): (kernel: string) => Written | undefined {
  const known = new Map(written.flatMap((each) => [each.name, ...each.outputs].map((name) => [name, each])));
  return (kernel) =>
    known.get(kernel) ??
    known.get(kernel.replace(/^fused /, "").replace(/(_nchwc|_token_\d+|\/\w+Fusion)+$/, ""));
}

/** The last part of a node's name. */
const ownName = ({ name }: Written): string => name.slice(name.lastIndexOf("/") + 1);

const total = <T>(values: readonly T[], of: (value: T) => number): number =>
  values.reduce((sum, value) => sum + of(value), 0);

const mean = (values: readonly number[]): number =>
  total(values, (value) => value) / Math.max(1, values.length);

export interface Attribution {
  readonly written: readonly Written[];
  readonly batchSize: number;
  /** Which of the runs to take the mean of. */
  readonly runs: readonly number[];
  readonly stepsPerRun: number;
  /** All runs that were profiled. */
  readonly runCount: number;
  /** Milliseconds of a step that kernels may take: without the profiler, and without copies in and out. */
  readonly room: number;
}

/** Multiply-adds of each node, at the kernel that takes longest of those it was written as. */
function workAt(found: readonly { readonly node: Node | null; readonly ms: number }[], batch: number) {
  const longest = new Map<Node, number>();
  found.forEach(({ node, ms }, i) => {
    if (node !== null && ms > (found[longest.get(node) ?? -1]?.ms ?? -1)) longest.set(node, i);
  });
  return (i: number): number | null => {
    const node = found[i]?.node;
    if (node?.kind !== "op" || node.op.multiplyAdds === undefined) return null;
    return longest.get(node) === i ? node.op.multiplyAdds(node, batch) : 0;
  };
}

/** A kernel's part of a step, as the profiler says. */
interface Raw {
  readonly origin: Written | undefined;
  readonly node: Node | null;
  readonly calls: number;
  readonly ms: number;
}

/**
 * What the profiler adds to each call, milliseconds: between the time of the quickest kernel, which does next to
 * nothing, and that of the lower quartile, as much as it takes for all kernels to fit into the step without it.
 */
function profilerCost(kernels: readonly Raw[], room: number): number {
  const ofCall = kernels.map(({ calls, ms }) => ms / calls).sort((a, b) => a - b);
  const [least = 0, quartile = 0] = [ofCall[0], ofCall[Math.floor(ofCall.length / 4)]];
  const [time, calls] = [total(kernels, ({ ms }) => ms), total(kernels, (each) => each.calls)];
  return Math.min(quartile, Math.max(least, (time - room) / Math.max(1, calls)));
}

export interface Attributed {
  /** In the order of the profile. */
  readonly kernels: readonly KernelRecord[];
  /** Milliseconds a step, with what the profiler adds. */
  readonly asProfiled: number;
  /** Milliseconds that the profiler adds to a call. */
  readonly profilerPerCall: number;
}

/** `kernels` a step under the graph's names, the profiler's own work taken off. */
export function attribute(kernels: readonly KernelTimes[], given: Attribution): Attributed {
  const { written, batchSize, runs, stepsPerRun, runCount, room } = given;
  const find = finder(written);
  const raw = kernels.map(({ name, calls, milliseconds }): Raw => {
    const origin = find(name);
    const ms = mean(runs.map((run) => milliseconds[run] ?? 0)) / stepsPerRun;
    return { origin, node: origin?.node ?? null, calls: calls / (stepsPerRun * runCount), ms };
  });
  const cost = profilerCost(raw, room);
  const work = workAt(raw, batchSize);
  const records = kernels.map(({ name, kind }, i): KernelRecord => {
    const { origin, node = null, calls = 0, ms = 0 } = raw[i] ?? {};
    return {
      scope: origin?.scope ?? engineScope,
      name: origin === undefined ? name : ownName(origin),
      kind,
      operation: node?.kind === "op" ? node.op.name : null,
      calls,
      milliseconds: Math.max(0, ms - cost * calls),
      multiplyAdds: work(i),
    };
  });
  return { kernels: records, asProfiled: total(raw, ({ ms }) => ms), profilerPerCall: cost };
}
