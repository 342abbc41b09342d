// The tree of an icicle: scopes of a profile, then operators, with the time of each.
import type { KernelRecord } from "../experiments/records.js";
import { groupOf, moment, orderOf } from "./profile-groups.js";
import { groupBy } from "./table.js";

/** Decides the colour: what kind of work it is; `mixed` holds several. */
export type Tone = "forward" | "gradient" | "optimizer" | "other" | "mixed";

export interface Branch {
  readonly name: string;
  /** From the root, for who points at it. */
  readonly path: string;
  readonly milliseconds: number;
  readonly tone: Tone;
  readonly children: readonly Branch[];
}

const partsOf = ({ scope, kind }: KernelRecord): string[] => [
  ...scope.split("/").filter((part) => part !== ""),
  kind,
];

/** Passes that neither compute the network nor its gradient. */
const others: readonly string[] = ["batch", "outputs", "proceed", "onnxruntime"];

function toneOf(kernel: KernelRecord): Tone {
  const parts = partsOf(kernel);
  const [pass = ""] = parts;
  if (pass === "optimizer") return "optimizer";
  if (others.includes(pass)) return "other";
  return parts.includes("gradient") ? "gradient" : "forward";
}

interface Placed {
  readonly kernel: KernelRecord;
  readonly parts: readonly string[];
  readonly tone: Tone;
}

type Order = ReadonlyMap<KernelRecord, number>;

const kernelsOf = (placed: readonly Placed[]): KernelRecord[] => placed.map(({ kernel }) => kernel);

/** When `placed` run: for what has a forward pass, that decides, so that layers stand in the network's order. */
function whenOf(placed: readonly Placed[], order: Order): number {
  const forward = placed.filter(({ tone }) => tone === "forward");
  return moment(kernelsOf(forward.length > 0 ? forward : placed), order);
}

function branch(name: string, path: string, members: readonly Placed[], depth: number, order: Order): Branch {
  const inside = groupBy(
    members.filter(({ parts }) => parts.length > depth),
    ({ parts }) => parts[depth] ?? "",
  );
  const children = [...inside].sort(([, a], [, b]) => whenOf(a, order) - whenOf(b, order));
  const tones = new Set(members.map(({ tone }) => tone));
  const [only = "other"] = tones;
  return {
    name,
    path,
    milliseconds: groupOf(name, kernelsOf(members)).milliseconds,
    tone: tones.size > 1 ? "mixed" : only,
    children: children.map(([key, held]) =>
      branch(key, path === "" ? key : `${path}/${key}`, held, depth + 1, order),
    ),
  };
}

const placed = (
  kernels: readonly KernelRecord[],
  partsIn: (kernel: KernelRecord) => readonly string[],
): Placed[] => kernels.map((kernel) => ({ kernel, parts: partsIn(kernel), tone: toneOf(kernel) }));

/** The kernels as a tree: pass, layer, gradient, part, operator; siblings in the order in which they run. */
export const treeOf = (kernels: readonly KernelRecord[]): Branch =>
  branch("a step", "", placed(kernels, partsOf), 0, orderOf(kernels));

/** The kernels as a tree of two levels: pass, and forward or gradient. */
export const passesOf = (kernels: readonly KernelRecord[]): Branch => {
  const parts = (kernel: KernelRecord): string[] => {
    const [pass = ""] = partsOf(kernel);
    const tone = toneOf(kernel);
    return tone === "forward" || tone === "gradient" ? [pass, tone] : [pass];
  };
  return branch("a step", "", placed(kernels, parts), 0, orderOf(kernels));
};
