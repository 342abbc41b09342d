// How much arithmetic a graph is.
import { topological } from "./function.js";
import type { Node } from "./node.js";

/** Multiply–adds of the products and convolutions that `roots` need, at a batch size. */
export const multiplyAdds = (roots: readonly Node[], batch: number): number =>
  topological(roots).reduce(
    (total, node) => total + (node.kind === "op" ? (node.op.multiplyAdds?.(node, batch) ?? 0) : 0),
    0,
  );
