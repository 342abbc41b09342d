// One float64 product of matrices in the engine.
import type { Engine } from "../../runtime/engine.js";
import { doubleFile, joined, split } from "./double.js";

/** A matrix in float64, row-major. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

export interface ProductOptions {
  /** Use the first operand transposed; default false. */
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/** a·b. */
export async function product(
  engine: Engine,
  a: Matrix,
  b: Matrix,
  { transposeA = false, transposeB = false }: ProductOptions = {},
): Promise<Matrix> {
  const [rows, columns] = [transposeA ? a.columns : a.rows, transposeB ? b.rows : b.columns];
  const [shapeA, shapeB] = [
    [a.rows, a.columns],
    [b.rows, b.columns],
  ];
  const file = doubleFile({
    name: "product",
    inputs: { a: shapeA, b: shapeB },
    rows: {},
    outputs: { product: [rows, columns] },
    build: (writer, value) => {
      const transposed = { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 };
      return { product: writer.node("Gemm", [value("a"), value("b")], transposed) };
    },
  });
  const program = await engine.load(file);
  const feeds = { ...split("a", shapeA, a.data), ...split("b", shapeB, b.data) };
  const outputs = await program.run(feeds).finally(() => program.release());
  return { rows, columns, data: joined("product", outputs) };
}
