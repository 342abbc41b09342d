// Architectures by name. One line per file; the contract suite iterates this namespace.
export { mlp } from "./mlp.js";
export { convnet } from "./convnet.js";
export { lenet } from "./lenet.js";
export { allCnnC as "all-cnn-c" } from "./all-cnn-c.js";
export { wideResnet as "wide-resnet" } from "./wide-resnet.js";
export { resnet } from "./resnet.js";
export { preactResnet as "preact-resnet" } from "./preact-resnet.js";
export { cifarResnet as "cifar-resnet" } from "./cifar-resnet.js";
export { inceptionV3 as "inception-v3" } from "./inception-v3.js";
export { senet } from "./senet.js";
export { nasnet } from "./nasnet.js";
export { condensenet } from "./condensenet.js";
export { capsnet } from "./capsnet.js";
