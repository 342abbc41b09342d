// Vectorization helpers: where the extra leading axis of rows can go.
import { multiplyDims, type Shape } from "../base/shape.js";
import type { Node } from "../graph/node.js";
import type { Vectorized } from "../graph/op.js";
import { broadcastTo } from "./reduce.js";
import { reshape } from "./reshape.js";
import { transpose } from "./structure.js";

/** The operand with its leading axis of rows; repeated where it has none. */
export const tiled = ({ node, mapped }: Vectorized, rows: number): Node =>
  mapped ? node : broadcastTo(node, [rows, ...node.shape]);

/** [rows, n, …] → [rows·n, …]. */
export function foldRows(x: Node): Node {
  const [rows = 1, n = 1, ...rest] = x.shape;
  return reshape(x, [multiplyDims(rows, n), ...rest]);
}

/** [rows·n, …] → [rows, n, …], for `shape` = [n, …]. */
export const unfoldRows = (x: Node, shape: Shape, rows: number): Node => reshape(x, [rows, ...shape]);

const swapLeading = (x: Node): Node => transpose(x, [1, 0, ...x.shape.slice(2).map((_, i) => i + 2)]);

/** [rows, N, C, …] → [N, rows·C, …]. */
export function foldIntoChannels(x: Node): Node {
  const [rows = 1, n = 1, channels = 1, ...rest] = x.shape;
  return reshape(swapLeading(x), [n, multiplyDims(rows, channels), ...rest]);
}

/** [N, rows·C, …] → [rows, N, C, …], for `shape` = [N, C, …]. */
export function unfoldFromChannels(x: Node, shape: Shape, rows: number): Node {
  const [n = 1, ...rest] = shape;
  return swapLeading(reshape(x, [n, rows, ...rest]));
}
