// Tensors on the host: a dtype, a shape and a dense row-major typed array.
import { check } from "./errors.js";
import { count, formatShape } from "./shape.js";

export type DType = "float32" | "int32" | "int64" | "uint8" | "bool";
export type TensorData = Float32Array | Int32Array | BigInt64Array | Uint8Array;

export interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export const bytesPerElement: Readonly<Record<DType, number>> = {
  float32: 4,
  int32: 4,
  int64: 8,
  uint8: 1,
  bool: 1,
};

/** A zeroed typed array for `length` elements of `dtype`. */
export function allocate(dtype: DType, length: number): TensorData {
  if (dtype === "float32") return new Float32Array(length);
  if (dtype === "int32") return new Int32Array(length);
  if (dtype === "int64") return new BigInt64Array(length);
  return new Uint8Array(length);
}

/** A typed array of `dtype` over `buffer`. */
export function viewOf(dtype: DType, buffer: ArrayBuffer, byteOffset = 0, length?: number): TensorData {
  if (dtype === "float32") return new Float32Array(buffer, byteOffset, length);
  if (dtype === "int32") return new Int32Array(buffer, byteOffset, length);
  if (dtype === "int64") return new BigInt64Array(buffer, byteOffset, length);
  return new Uint8Array(buffer, byteOffset, length);
}

/** A tensor over `data`; its length must fit `shape`. */
export function tensor(dtype: DType, shape: readonly number[], data: TensorData): Tensor {
  check(data.length === count(shape), "tensor", `${count(shape)} elements for ${formatShape(shape)}`, () =>
    String(data.length),
  );
  return { dtype, shape, data };
}

/** A float32 tensor from numbers. */
export const floats = (shape: readonly number[], values: ArrayLike<number>): Tensor =>
  tensor("float32", shape, values instanceof Float32Array ? values : Float32Array.from(values));

/** A float32 scalar. */
export const scalar = (value: number): Tensor => floats([], [value]);

/** The same tensor of numbers in another dtype (int64 from whole numbers). */
export function fromNumbers(dtype: DType, shape: readonly number[], values: ArrayLike<number>): Tensor {
  const data = allocate(dtype, values.length);
  if (data instanceof BigInt64Array) for (let i = 0; i < values.length; i++) data[i] = BigInt(values[i] ?? 0);
  else for (let i = 0; i < values.length; i++) data[i] = values[i] ?? 0;
  return tensor(dtype, shape, data);
}

/** All elements as float64, for the interpreter and for printing. */
export function toNumbers(t: Tensor): Float64Array {
  return t.data instanceof BigInt64Array ? Float64Array.from(t.data, Number) : Float64Array.from(t.data);
}

/** Largest index of each row of a [rows, columns] array; ties go to the first. */
export function argMaxRows(values: Float32Array, columns: number): Int32Array {
  const result = new Int32Array(values.length / columns);
  for (let row = 0; row < result.length; row++) {
    let best = 0;
    for (let j = 1; j < columns; j++)
      if ((values[row * columns + j] ?? NaN) > (values[row * columns + best] ?? NaN)) best = j;
    result[row] = best;
  }
  return result;
}
