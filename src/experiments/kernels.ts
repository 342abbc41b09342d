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

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

export interface Attribution {
  readonly written: readonly Written[];
  readonly batchSize: number;
  /** Which of the runs to take the mean of. */
  readonly runs: readonly number[];
  readonly stepsPerRun: number;
  /** All runs that were profiled. */
  readonly runCount: number;
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

/** What the profiler adds to each call, milliseconds: the time of the quickest kernel, which does next to nothing. */
function profilerCost(kernels: readonly KernelTimes[], runCount: number): number {
  const ofCall = kernels.map(
    ({ calls, milliseconds }) => (mean(milliseconds) * runCount) / Math.max(1, calls),
  );
  return Math.min(...ofCall);
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
  const { written, batchSize, runs, stepsPerRun, runCount } = given;
  const find = finder(written);
  const cost = kernels.length === 0 ? 0 : profilerCost(kernels, runCount);
  const found = kernels.map(({ name, calls, milliseconds }) => {
    const origin = find(name);
    const raw = mean(runs.map((run) => milliseconds[run] ?? 0)) / stepsPerRun;
    const perStep = calls / (stepsPerRun * runCount);
    return { origin, node: origin?.node ?? null, raw, ms: Math.max(0, raw - cost * perStep), perStep };
  });
  const work = workAt(found, batchSize);
  const records = found.map(({ origin, node, ms, perStep }, i) => {
    const { name, kind } = kernels[i] ?? { name: "", kind: "" };
    return {
      scope: origin?.scope ?? engineScope,
      name: origin === undefined ? name : ownName(origin),
      kind,
      operation: node?.kind === "op" ? node.op.name : null,
      calls: perStep,
      milliseconds: ms,
      multiplyAdds: work(i),
    };
  });
  const asProfiled = found.reduce((sum, { raw }) => sum + raw, 0);
  return { kernels: records, asProfiled, profilerPerCall: cost };
}
