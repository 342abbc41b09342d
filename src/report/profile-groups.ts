// Kernels of a profile brought together: by pass, by layer, by operator, one by one.
import type { KernelRecord } from "../experiments/records.js";
import { groupBy } from "./table.js";

/** What a scope says: `train/conv2/gradient/weight`. */
export interface Place {
  /** `train`, `craft`, `optimizer` … */
  readonly pass: string;
  /** `conv2`; empty where the scope is the pass itself. */
  readonly layer: string;
  /** 0 forward, 1 gradient, 2 gradient of a gradient … */
  readonly order: number;
}

const marker = "gradient";

export function placeOf(scope: string): Place {
  const parts = scope.split("/").filter((part) => part !== "");
  const [pass = "graph", ...rest] = parts;
  const end = rest.indexOf(marker);
  return {
    pass,
    layer: (end < 0 ? rest : rest.slice(0, end)).join("/"),
    order: rest.filter((part) => part === marker).length,
  };
}

/** Kernels that are shown as one row. */
export interface Group {
  readonly name: string;
  readonly milliseconds: number;
  readonly calls: number;
  /** GFLOP/s of those that are part of a product (two operations a multiply-add); null where none is. */
  readonly gigaflops: number | null;
  readonly kernels: readonly KernelRecord[];
}

const total = (kernels: readonly KernelRecord[], of: (kernel: KernelRecord) => number): number =>
  kernels.reduce((sum, kernel) => sum + of(kernel), 0);

export function groupOf(name: string, kernels: readonly KernelRecord[]): Group {
  const products = kernels.filter(({ multiplyAdds }) => multiplyAdds !== null);
  const work = total(products, ({ multiplyAdds }) => multiplyAdds ?? 0);
  const time = total(products, ({ milliseconds }) => milliseconds);
  return {
    name,
    milliseconds: total(kernels, ({ milliseconds }) => milliseconds),
    calls: total(kernels, ({ calls }) => calls),
    gigaflops: work > 0 && time > 0 ? (2 * work) / time / 1e6 : null,
    kernels,
  };
}

const groups = (kernels: readonly KernelRecord[], keyOf: (kernel: KernelRecord) => string): Group[] =>
  [...groupBy(kernels, keyOf)].map(([name, members]) => groupOf(name, members));

/** When a group runs, on average over its time: few kernels that run early do not bring their group to the front. */
export function moment(members: readonly KernelRecord[], order: ReadonlyMap<KernelRecord, number>): number {
  const weighed = total(members, (kernel) => kernel.milliseconds * (order.get(kernel) ?? 0));
  return (
    weighed /
    Math.max(
      Number.MIN_VALUE,
      total(members, ({ milliseconds }) => milliseconds),
    )
  );
}

/** Where each kernel stands in the order of a step. */
export const orderOf = (kernels: readonly KernelRecord[]): ReadonlyMap<KernelRecord, number> =>
  new Map(kernels.map((kernel, i) => [kernel, i]));

const directions = ["forward", "gradient", "2nd gradient"] as const;
const directionOf = (order: number): string => directions[order] ?? `gradient of order ${order}`;

/** `craft, forward`, `craft, gradient`, `train, forward` …, in the order in which they run. */
export function byPass(kernels: readonly KernelRecord[]): Group[] {
  const places = new Map(kernels.map((kernel) => [kernel, placeOf(kernel.scope)]));
  const passes = new Set([...places.values()].filter(({ order }) => order > 0).map(({ pass }) => pass));
  const found = groups(kernels, (kernel) => {
    const { pass, order } = places.get(kernel) ?? placeOf(kernel.scope);
    return passes.has(pass) ? `${pass}, ${directionOf(order)}` : pass;
  });
  const order = orderOf(kernels);
  return found.sort((a, b) => moment(a.kernels, order) - moment(b.kernels, order));
}

const largestFirst = (found: readonly Group[]): Group[] =>
  [...found].sort((a, b) => b.milliseconds - a.milliseconds);

/** `train/conv2` with its gradient, the largest first. */
export const byLayer = (kernels: readonly KernelRecord[]): Group[] =>
  largestFirst(
    groups(kernels, ({ scope }) => {
      const { pass, layer } = placeOf(scope);
      return layer === "" ? pass : `${pass}/${layer}`;
    }),
  );

/** By ONNX operator, the largest first. */
export const byKind = (kernels: readonly KernelRecord[]): Group[] =>
  largestFirst(groups(kernels, ({ kind }) => kind));

/** Each kernel by itself, the largest first; named by its scope. */
export const single = (kernels: readonly KernelRecord[]): Group[] =>
  largestFirst(kernels.map((kernel) => groupOf(kernel.scope, [kernel])));

/** The first `most` groups that take at least `share` of all, and the rest as one. */
export function leading(found: readonly Group[], most: number, share: number): Group[] {
  const all = found.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const shown = found.filter(({ milliseconds }, i) => i < most && milliseconds >= share * all);
  const rest = found.slice(shown.length);
  if (rest.length < 2) return [...found];
  const name = `${rest.length} others`;
  return [
    ...shown,
    groupOf(
      name,
      rest.flatMap(({ kernels }) => kernels),
    ),
  ];
}
