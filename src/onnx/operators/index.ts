// The ONNX operators that Temper reads: one export per operator, under the operator's own name.
export * from "./activation.js";
export * from "./arithmetic.js";
export * from "./attention.js";
export * from "./compare.js";
export * from "./conv.js";
export * from "./einsum.js";
export * from "./indices.js";
export * from "./known.js";
export * from "./linear.js";
export * from "./norm.js";
export * from "./pool.js";
export * from "./quantize.js";
export * from "./random.js";
export * from "./reduce.js";
export { LogSoftmax, Softmax } from "./softmax.js";
export * from "./slice.js";
export * from "./space.js";
export * from "./structure.js";
