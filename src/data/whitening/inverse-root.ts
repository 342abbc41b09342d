// The inverse square root of a covariance: coupled Newton–Schulz iterations (Higham 2008, "Functions of Matrices",
// section 6.7), three products each, scaled so that few are needed (Chen and Chow 2014, "A stable scaling of
// Newton–Schulz for improving the sign function computation of a Hermitian matrix").
import type { Engine, Tensors } from "../../runtime/engine.js";
import { doubleFile, joined, renamed, split } from "./double.js";

export interface InverseRootOptions {
  /** A lower bound > 0 of the matrix's eigenvalues. */
  readonly least: number;
  readonly engine: Engine;
  readonly signal?: AbortSignal | undefined;
}

/** Y ← ½αY(3 − α²ZY), Z ← ½α(3 − α²ZY)Z. */
const iterationFile = (size: number, alpha: number): Uint8Array => {
  const square = [size, size];
  const factors = { alpha: { float: -(alpha ** 3) / 2 }, beta: { float: (3 * alpha) / 2 } };
  return doubleFile({
    name: "newton-schulz",
    inputs: { y: square, z: square },
    rows: {},
    outputs: { nextY: square, nextZ: square },
    build: (writer, value) => {
      const [y, z] = [value("y"), value("z")];
      const product = writer.node("Gemm", [z, y]);
      return {
        nextY: writer.node("Gemm", [y, product, y], factors),
        nextZ: writer.node("Gemm", [product, z, z], factors),
      };
    },
  });
};

/**
 * What scales each iteration where the square roots of the eigenvalues lie in [lower, 1]: the α for which both ends of
 * the interval fall on the same value, until the interval is 1 but for 10⁻¹².
 */
export function scalings(lower: number): number[] {
  const found: number[] = [];
  for (let low = lower; 1 - low > 1e-12;) {
    // Attributes are float32; the bound must follow what is computed.
    const alpha = Math.fround(Math.sqrt(3 / (1 + low + low * low)));
    found.push(alpha);
    low = Math.min(1, (alpha * low * (3 - (alpha * low) ** 2)) / 2);
  }
  return found;
}

/** `matrix`^(−½), [size, size], of a symmetric matrix whose eigenvalues are at least `least`. */
export async function inverseRoot(
  matrix: Float64Array,
  { least, engine, signal }: InverseRootOptions,
): Promise<Float64Array> {
  const size = Math.sqrt(matrix.length);
  let norm = 0;
  for (let i = 0; i < size; i++) {
    let row = 0;
    for (let j = 0; j < size; j++) row += Math.abs(matrix[i * size + j] ?? 0);
    norm = Math.max(norm, row);
  }
  const identity = new Float64Array(matrix.length);
  for (let i = 0; i < size; i++) identity[i * (size + 1)] = 1;
  let state: Tensors = {
    ...split(
      "y",
      [size, size],
      matrix.map((value) => value / norm),
    ),
    ...split("z", [size, size], identity),
  };
  for (const alpha of scalings(Math.sqrt(least / norm))) {
    signal?.throwIfAborted();
    const program = await engine.load(iterationFile(size, alpha));
    const next = await program.run(state).finally(() => program.release());
    state = { ...renamed(next, "nextY", "y"), ...renamed(next, "nextZ", "z") };
  }
  const root = joined("z", state);
  const out = new Float64Array(root.length);
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++)
      out[i * size + j] = ((root[i * size + j] ?? 0) + (root[j * size + i] ?? 0)) / (2 * Math.sqrt(norm));
  return out;
}
