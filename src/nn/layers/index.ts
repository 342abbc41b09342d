// Layers, one file per family.
export type { BuiltLayer, Layer } from "./layer.js";
export { dense } from "./dense.js";
export { convolution, type ConvOptions } from "./convolution.js";
export { averagePooling, globalAveragePooling, maxPooling } from "./pooling.js";
export { batchNorm } from "./batch-norm.js";
export { dropout, dropped } from "./dropout.js";
export { activation, activationNames } from "./activation.js";
export { flatten } from "./flatten.js";
export { normalize } from "./normalize.js";
export { residual, type Survival } from "./residual.js";
export { branches } from "./branches.js";
export { squeezeExcite } from "./squeeze-excite.js";
export { wired, type Wire, type Wiring } from "./wiring.js";
export { capsuleLengths, primaryCapsules, routedCapsules } from "./capsules.js";
export { reconstruction } from "./reconstruction.js";
export { condensedGroups, learnedGroups, type LearnedGroups } from "./learned-groups.js";
export { subsample } from "./subsample.js";
export type { Size } from "./window.js";
