// The vocabulary. One line per family; the contract suite iterates this namespace.
export * from "./arithmetic.js";
export * from "./exponential.js";
export * from "./activation.js";
export * from "./piecewise.js";
export * from "./compare.js";
export * from "./reshape.js";
export * from "./reduce.js";
export * from "./size.js";
export * from "./structure.js";
export * from "./matmul.js";
export * from "./conv.js";
export * from "./average-pool.js";
export * from "./max-pool.js";
export * from "./log-softmax.js";
export * from "./stop-gradient.js";
