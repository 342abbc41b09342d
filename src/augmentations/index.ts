// Augmentations by name. One line per file; the contract suite iterates this namespace.
export * from "./elastic.js";
export { padAndCrop as "pad-and-crop" } from "./pad-and-crop.js";
export { horizontalFlip as "horizontal-flip" } from "./horizontal-flip.js";
export * from "./rotation.js";
export * from "./zoom.js";
export { randomErasing as "random-erasing" } from "./random-erasing.js";
export { randomResizedCrop as "random-resized-crop" } from "./random-resized-crop.js";
export { fiveCrop as "five-crop" } from "./five-crop.js";
export { colorJitter as "color-jitter" } from "./color-jitter.js";
export { randomGrayscale as "random-grayscale" } from "./random-grayscale.js";
