// Mean and covariance of rows that come in batches, in float64 products of the engine.
import { B } from "../../base/shape.js";
import { floats } from "../../base/tensor.js";
import type { Engine } from "../../runtime/engine.js";
import { doubleFile, joined, partsOf, split } from "./double.js";

export interface Covariance {
  /** [columns]. */
  readonly mean: Float64Array;
  /** Σ(x − mean)(x − mean)ᵀ / divisor, [columns, columns]. */
  readonly matrix: Float64Array;
}

export interface CovarianceOptions {
  readonly columns: number;
  /** Rows, or one less. */
  readonly divisor: "n" | "n-1";
  readonly engine: Engine;
}

/** Products so far, plus those of a batch: S + xᵀx. */
const productFile = (columns: number): Uint8Array =>
  doubleFile({
    name: "products",
    inputs: { products: [columns, columns] },
    rows: { rows: [B, columns] },
    outputs: { next: [columns, columns] },
    build: (writer, value) => {
      const rows = value("rows");
      return { next: writer.node("Gemm", [rows, rows, value("products")], { transA: 1 }) };
    },
  });

/** The covariance of all rows of `batches`, [rows, columns] each. */
export async function covariance(
  batches: AsyncIterable<Float32Array>,
  { columns, divisor, engine }: CovarianceOptions,
): Promise<Covariance> {
  const carry = Object.fromEntries(partsOf("next").map((part, i) => [part, partsOf("products")[i] ?? part]));
  const program = await engine.load(productFile(columns), { carry });
  try {
    await program.hold(split("products", [columns, columns], new Float64Array(columns * columns)));
    const mean = new Float64Array(columns);
    let count = 0;
    for await (const rows of batches) {
      const n = rows.length / columns;
      for (let row = 0; row < n; row++)
        for (let j = 0; j < columns; j++) mean[j] = (mean[j] ?? 0) + (rows[row * columns + j] ?? 0);
      count += n;
      await program.run({ rows: floats([n, columns], rows) });
    }
    for (let j = 0; j < columns; j++) mean[j] = (mean[j] ?? 0) / count;
    const matrix = joined("products", await program.read(partsOf("products")));
    const by = divisor === "n" ? count : count - 1;
    for (let i = 0; i < columns; i++)
      for (let j = 0; j < columns; j++) {
        const at = i * columns + j;
        matrix[at] = ((matrix[at] ?? 0) - count * (mean[i] ?? 0) * (mean[j] ?? 0)) / by;
      }
    return { mean, matrix };
  } finally {
    await program.release();
  }
}
