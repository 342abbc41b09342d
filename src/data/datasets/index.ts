// The registry of datasets: one file and one line each; the export's name is the command-line name.
export { mnist } from "./mnist.js";
export { cifar10 } from "./cifar10.js";
export { cifar100, cifar100Coarse as "cifar100-coarse" } from "./cifar100.js";
export { svhn, svhnExtra as "svhn-extra" } from "./svhn.js";
