// Preprocessors by name. One line per file; the contract suite iterates this namespace.
export * from "./scale.js";
export * from "./standardize.js";
export { pixelMean as "pixel-mean" } from "./pixel-mean.js";
export * from "./gcn.js";
export * from "./zca.js";
