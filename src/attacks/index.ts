// Attacks by name: the namespace is the registry.
export * from "./fgsm.js";
export * from "./bim.js";
export { miFgsm as "mi-fgsm" } from "./mi-fgsm.js";
export * from "./pgd.js";
export * from "./fab.js";
export { fabT as "fab-t" } from "./fab-t.js";
export { hopSkipJump as "hop-skip-jump" } from "./hop-skip-jump.js";
export * from "./spsa.js";
export * from "./square.js";
export * from "./deepfool.js";
export * from "./ddn.js";
export { carliniWagner as "carlini-wagner" } from "./carlini-wagner.js";
export * from "./ead.js";
export { apgdCe as "apgd-ce" } from "./apgd-ce.js";
export { apgdDlr as "apgd-dlr" } from "./apgd-dlr.js";
export { apgdT as "apgd-t" } from "./apgd-t.js";
export * from "./jsma.js";
export * from "./autoattack.js";
