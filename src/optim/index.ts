// Optimizers by name. One line per file; the contract suite iterates this namespace.
export { sgd } from "./sgd.js";
export { adam } from "./adam.js";
export { wame } from "./wame.js";
export { rprop } from "./rprop.js";
export { rmsprop } from "./rmsprop.js";
