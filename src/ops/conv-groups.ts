// Grouped convolutions group by group, for WebGPU, whose operators mix the groups of some sizes up.
import type { Node } from "../graph/node.js";
import { concat, slice } from "./structure.js";
import { repeated } from "./windows.js";

/** How many filters WebGPU's Conv computes at once: those must not belong to two groups, which it does not see to. */
const atOnce = (filters: number): number => [4, 2].find((n) => filters % n === 0) ?? 1;

/** Whether WebGPU's Conv takes `filters` in `groups` for what they are not. */
export function convMixesGroups(filters: number, groups: number): boolean {
  const each = filters / groups;
  return groups > 1 && each >= 4 && each % atOnce(filters) > 0;
}

/** Whether its ConvTranspose does: where a group of several filters [filters, perGroup, …] has a single channel. */
export const transposeMixesGroups = (filters: number, perGroup: number, groups: number): boolean =>
  groups > 1 && perGroup === 1 && filters !== groups;

/** `each` of the i-th parts of `operands`, cut into equal `groups` along their axes, joined along `axis`. */
export function groupByGroup(
  groups: number,
  operands: readonly (readonly [node: Node, axis: number])[],
  axis: number,
  each: (parts: readonly Node[]) => Node,
): Node {
  const part = (node: Node, along: number, i: number): Node => {
    const size = Number(node.shape[along]) / groups;
    return slice(node, { axes: [along], starts: [i * size], ends: [(i + 1) * size] });
  };
  const parts = repeated(0, groups).map((_, i) =>
    each(operands.map(([node, along]) => part(node, along, i))),
  );
  return concat(parts, axis);
}
