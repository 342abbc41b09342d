// Attacks by name: the namespace is the registry.
export * from "./fgsm.js";
export * from "./pgd.js";
