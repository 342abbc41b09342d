// Defences by name. One line per file; the contract suite iterates this namespace.
export { standard } from "./standard.js";
export { sgm } from "./sgm.js";
export { adversarialBackprop as "adversarial-backprop" } from "./adversarial-backprop.js";
export { signNoise as "sign-noise" } from "./sign-noise.js";
export { jacobianPenalty as "jacobian-penalty" } from "./jacobian-penalty.js";
export { inputGradientPenalty as "input-gradient-penalty" } from "./input-gradient-penalty.js";
export { fgsmTraining as "fgsm-training" } from "./fgsm-training.js";
export { pgdTraining as "pgd-training" } from "./pgd-training.js";
