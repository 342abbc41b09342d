// Architectures by name. One line per file; the contract suite iterates this namespace.
export { mlp } from "./mlp.js";
export { convnet } from "./convnet.js";
