// Norm balls by name: the namespace is the registry.
export * from "./linf.js";
export * from "./l2.js";
export * from "./l1.js";
export * from "./l0.js";
