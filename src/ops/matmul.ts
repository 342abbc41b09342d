// Matrix products over the last two axes, batched and broadcast over the leading ones; closed under differentiation.
import { check } from "../base/errors.js";
import {
  broadcastShapes,
  count,
  formatShape,
  multiplyDims,
  resolveShape,
  sameDim,
  sameShape,
  type Shape,
} from "../base/shape.js";
import { argument, checkFloat, type Node, type Operand, type TensorType } from "../graph/node.js";
import { operation, type Operation, type Vectorized } from "../graph/op.js";
import { mul } from "./arithmetic.js";
import { broadcastData } from "./arrays.js";
import { reshape } from "./reshape.js";

export interface MatmulOptions {
  /** Use the first operand with its last two axes swapped; default false. */
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

type Matmul = (a: Operand, b: Operand, options?: MatmulOptions) => Node;
type Attributes = { transposeA: boolean; transposeB: boolean };

const lastTwo = (type: TensorType, transposed: boolean): Shape => {
  const [rows = 1, columns = 1] = type.shape.slice(-2);
  return transposed ? [columns, rows] : [rows, columns];
};

function inferMatmul(inputs: readonly TensorType[], { transposeA, transposeB }: Attributes): TensorType {
  const [a, b] = [argument(inputs, 0), argument(inputs, 1)];
  for (const type of [a, b]) {
    checkFloat("matmul", type);
    check(type.shape.length >= 2, "matmul", "tensors of rank 2 or more", () => formatShape(type.shape));
  }
  const [m = 1, k = 1] = lastTwo(a, transposeA);
  const [l = 1, n = 1] = lastTwo(b, transposeB);
  check(
    sameDim(k, l),
    "matmul",
    "equal inner sizes",
    () => `${formatShape(a.shape)}${transposeA ? "ᵀ" : ""} · ${formatShape(b.shape)}${transposeB ? "ᵀ" : ""}`,
  );
  const leading = broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
  return { dtype: "float32", shape: [...leading, m, n] };
}

/** Puts the mapped axis of `x` in front of as many leading axes as the product has. */
function lead({ node, mapped }: Vectorized, rank: number): Node {
  if (!mapped) return node;
  const [rows = 1, ...rest] = node.shape;
  return reshape(node, [rows, ...new Array<number>(rank - rest.length).fill(1), ...rest]);
}

/** A product whose first operand alone is mapped and whose second is a plain matrix: one tall product. */
function tallProduct(a: Node, b: Node, transposeB: boolean, rows: number): Node {
  const [, m = 1, k = 1] = a.shape;
  const tall = matmul(reshape(a, [multiplyDims(m, rows), k]), b, { transposeB });
  return reshape(tall, [rows, m, tall.shape[1] ?? 1]);
}

/** a·b with [.., m, k] · [.., k, n] → [.., m, n]. Derivatives: g·bᵀ and aᵀ·g (transposes as flags). */
export const matmul: Operation<Matmul> = operation<Attributes, Matmul>(
  {
    name: "matmul",
    infer: inferMatmul,
    evaluate: (inputs, { transposeA, transposeB }, shape) => {
      const [a, b] = [argument(inputs, 0), argument(inputs, 1)];
      const [m = 1, n = 1] = shape.slice(-2);
      const k = a.shape.at(transposeA ? -2 : -1) ?? 1;
      const leading = shape.slice(0, -2);
      const x = broadcastData(a, [...leading, ...a.shape.slice(-2)]);
      const y = broadcastData(b, [...leading, ...b.shape.slice(-2)]);
      const out = new Float64Array(shape.reduce((p, q) => p * q, 1));
      for (let batch = 0; batch < out.length / (m * n || 1); batch++)
        for (let i = 0; i < m; i++)
          for (let j = 0; j < n; j++) {
            let total = 0;
            for (let l = 0; l < k; l++)
              total +=
                (x[batch * m * k + (transposeA ? l * m + i : i * k + l)] ?? 0) *
                (y[batch * k * n + (transposeB ? j * k + l : l * n + j)] ?? 0);
            out[(batch * m + i) * n + j] = total;
          }
      return out;
    },
    derivative: (g, { inputs, attributes: { transposeA, transposeB } }) => {
      const [a, b] = [argument(inputs, 0), argument(inputs, 1)];
      return [
        transposeA
          ? matmul(b, g, { transposeA: transposeB, transposeB: true })
          : matmul(g, b, { transposeB: !transposeB }),
        transposeB
          ? matmul(g, a, { transposeA: true, transposeB: transposeA })
          : matmul(a, g, { transposeA: !transposeA }),
      ];
    },
    lower: (emit, inputs, { inputs: nodes, attributes: { transposeA, transposeB } }) => {
      const [a, b] = [argument(inputs, 0), argument(inputs, 1)];
      if (nodes.every((node) => node.shape.length === 2))
        return emit.node("Gemm", [a, b], { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 });
      const swap = (value: string, index: number, transposed: boolean): string => {
        const rank = argument(nodes, index).shape.length;
        const perm = Array.from({ length: rank }, (_, i) => i);
        perm.splice(-2, 2, rank - 1, rank - 2);
        return transposed ? emit.node("Transpose", [value], { perm }) : value;
      };
      return emit.node("MatMul", [swap(a, 0, transposeA), swap(b, 1, transposeB)]);
    },
    // Not a whole matrix: Gemm copies what it adds to with one thread, an addition takes all of them.
    plus: ({ inputs, shape, attributes }, addend) => {
      const flat = inputs.every((node) => node.shape.length === 2) && addend.shape.length <= 2;
      if (
        !flat ||
        sameShape(addend.shape, shape) ||
        !sameShape(broadcastShapes("gemm", addend.shape, shape), shape)
      )
        return null;
      return gemm(argument(inputs, 0), argument(inputs, 1), addend, attributes);
    },
    scaled: ({ inputs, attributes }, scale) =>
      matmul(argument(inputs, 0), mul(argument(inputs, 1), scale), attributes),
    multiplyAdds: ({ inputs, shape, attributes: { transposeA } }, batch) => {
      const inner = argument(inputs, 0).shape.at(transposeA ? -2 : -1) ?? 1;
      return count(resolveShape([...shape, inner], batch));
    },
    vectorize: ({ inputs: nodes, attributes }, inputs, rows) => {
      const [a, b] = [argument(inputs, 0), argument(inputs, 1)];
      const flat = nodes.every((node) => node.shape.length === 2);
      if (flat && a.mapped && !b.mapped && !attributes.transposeA)
        return tallProduct(a.node, b.node, attributes.transposeB, rows);
      const rank = Math.max(...nodes.map((node) => node.shape.length));
      return matmul(lead(a, rank), lead(b, rank), attributes);
    },
    examples: [
      {
        inputs: [{ shape: [2, 3] }, { shape: [3, 4] }],
        attributes: { transposeA: false, transposeB: false },
      },
      { inputs: [{ shape: [3, 2] }, { shape: [4, 3] }], attributes: { transposeA: true, transposeB: true } },
      {
        inputs: [{ shape: [2, 1, 3] }, { shape: [3, 2] }],
        attributes: { transposeA: false, transposeB: false },
      },
      {
        inputs: [{ shape: [2, 3, 2] }, { shape: [2, 4, 3] }],
        attributes: { transposeA: true, transposeB: true },
      },
    ],
    rejects: [
      {
        inputs: [{ shape: [2, 3] }, { shape: [2, 3] }],
        attributes: { transposeA: false, transposeB: false },
        message: "matmul: expected equal inner sizes, got [2, 3] · [2, 3]",
      },
      {
        inputs: [{ shape: [3] }, { shape: [3, 2] }],
        attributes: { transposeA: false, transposeB: false },
        message: "matmul: expected tensors of rank 2 or more, got [3]",
      },
    ],
  },
  (make) =>
    (a, b, options = {}) =>
      make([a, b], { transposeA: options.transposeA ?? false, transposeB: options.transposeB ?? false }),
);

type Gemm = (a: Operand, b: Operand, c: Operand, options?: MatmulOptions) => Node;

/** a·b + c with [m, k] · [k, n] + c, c broadcast to [m, n], in one pass. Simplification makes it; see `plus`. */
export const gemm: Operation<Gemm> = operation<Attributes, Gemm>(
  {
    name: "gemm",
    infer: (inputs, attributes) => {
      const [a, b, c] = [argument(inputs, 0), argument(inputs, 1), argument(inputs, 2)];
      for (const type of [a, b]) checkFloat("gemm", type, 2);
      checkFloat("gemm", c);
      const { shape } = inferMatmul([a, b], attributes);
      const fits = c.shape.length <= 2 && sameShape(broadcastShapes("gemm", c.shape, shape), shape);
      check(fits, "gemm", `an addend that broadcasts to ${formatShape(shape)}`, () => formatShape(c.shape));
      return { dtype: "float32", shape };
    },
    evaluate: (inputs, attributes, shape, batch) => {
      const c = broadcastData(argument(inputs, 2), shape);
      return matmul.op
        .evaluate(inputs.slice(0, 2), attributes, shape, batch)
        .map((x, i) => x + (c[i] ?? NaN));
    },
    derivative: (g, { inputs, attributes }) => {
      const [a, b] = [argument(inputs, 0), argument(inputs, 1)];
      const product = matmul(a, b, attributes);
      const parts = product.kind === "op" ? (matmul.op.derivative?.(g, product) ?? []) : [];
      return [...parts, g];
    },
    lower: (emit, inputs, { attributes: { transposeA, transposeB } }) =>
      emit.node("Gemm", inputs, { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 }),
    multiplyAdds: ({ inputs, shape, attributes: { transposeA } }, batch) => {
      const inner = argument(inputs, 0).shape.at(transposeA ? -2 : -1) ?? 1;
      return count(resolveShape([...shape, inner], batch));
    },
    examples: [
      {
        inputs: [{ shape: [2, 3] }, { shape: [3, 4] }, { shape: [4] }],
        attributes: { transposeA: false, transposeB: false },
      },
      {
        inputs: [{ shape: [3, 2] }, { shape: [4, 3] }, { shape: [2, 4] }],
        attributes: { transposeA: true, transposeB: true },
      },
    ],
    rejects: [
      {
        inputs: [{ shape: [2, 3] }, { shape: [3, 4] }, { shape: [3] }],
        attributes: { transposeA: false, transposeB: false },
        message: "gemm: expected shapes that broadcast, got [3] and [2, 4]",
      },
    ],
  },
  (make) =>
    (a, b, c, options = {}) =>
      make([a, b, c], {
        transposeA: options.transposeA ?? false,
        transposeB: options.transposeB ?? false,
      }),
);
