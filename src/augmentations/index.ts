// Augmentations by name. One line per file; the contract suite iterates this namespace.
export * from "./elastic.js";
export { padAndCrop as "pad-and-crop" } from "./pad-and-crop.js";
export { horizontalFlip as "horizontal-flip" } from "./horizontal-flip.js";
export * from "./rotation.js";
export * from "./zoom.js";
export { randomErasing as "random-erasing" } from "./random-erasing.js";
