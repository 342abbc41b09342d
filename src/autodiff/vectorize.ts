// One extra leading axis through nodes already built: many rows of a Jacobian in one pass.
import { topological } from "../graph/function.js";
import { apply, inputsOf, scopeAs, type Node, type OpNode } from "../graph/node.js";
import type { Vectorized } from "../graph/op.js";
import { concat, slice } from "../ops/structure.js";
import { reshape } from "../ops/reshape.js";

/** Aligns a mapped operand for broadcasting: [rows, ...shape] → [rows, 1 …, ...shape] of rank + 1 axes. */
function alignLeading({ node, mapped }: Vectorized, rank: number): Node {
  if (!mapped) return node;
  const [rows = 1, ...rest] = node.shape;
  return reshape(node, [rows, ...new Array<number>(rank - rest.length).fill(1), ...rest]);
}

/** Any operation, row by row: the rule for those that have none of their own. */
function unrolled(node: OpNode, inputs: readonly Vectorized[], rows: number): Node {
  const results = Array.from({ length: rows }, (_, row) => {
    const operands = inputs.map(({ node: operand, mapped }) =>
      mapped
        ? reshape(slice(operand, { axes: [0], starts: [row], ends: [row + 1] }), operand.shape.slice(1))
        : operand,
    );
    const result = apply(node.op, operands, node.attributes);
    return reshape(result, [1, ...result.shape]);
  });
  return concat(results, 0);
}

function vectorizeNode(node: OpNode, inputs: readonly Vectorized[], rows: number): Node {
  const { vectorize } = node.op;
  if (vectorize === undefined) return unrolled(node, inputs, rows);
  if (vectorize !== "elementwise") return vectorize(node, inputs, rows);
  const operands = inputs.map((operand) => alignLeading(operand, node.shape.length));
  return apply(node.op, operands, node.attributes);
}

/**
 * `output` as a function of `source`, for `rows` values of `source` at once: replaces `source` by `stacked`
 * ([rows, ...source.shape]) and returns [rows, ...output.shape]. Everything else is shared by all rows.
 */
export function vectorize(output: Node, source: Node, stacked: Node): Node {
  const rows = stacked.shape[0];
  if (typeof rows !== "number") throw new RangeError("vectorize needs a fixed number of rows");
  const image = new Map<Node, Vectorized>([[source, { node: stacked, mapped: true }]]);
  const imageOf = (node: Node): Vectorized => image.get(node) ?? { node, mapped: false };
  const visit = (root: Node): void => {
    for (const node of topological([root])) {
      if (node.kind !== "op" || image.has(node)) continue;
      const inputs = inputsOf(node).map(imageOf);
      if (!inputs.some((operand) => operand.mapped)) continue;
      const { expand, vectorize: rule } = node.op;
      if (expand && !rule) {
        const expanded = scopeAs(node.scope, () => expand(node));
        visit(expanded);
        image.set(node, imageOf(expanded));
      } else {
        const mapped = scopeAs(node.scope, () => vectorizeNode(node, inputs, rows));
        image.set(node, { node: mapped, mapped: true });
      }
    }
  };
  visit(output);
  const result = imageOf(output);
  return result.mapped
    ? result.node
    : concat(
        Array.from({ length: rows }, () => reshape(output, [1, ...output.shape])),
        0,
      );
}
