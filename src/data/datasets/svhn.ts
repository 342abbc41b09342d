// Street View House Numbers, cropped digits: 73,257 and 26,032 colour images, 32×32, and 531,131 easier ones.
import { check } from "../../base/errors.js";
import { cifarShape } from "../cifar.js";
import { imageSize, type DatasetFile, type DatasetSource, type LoadedFile, type Split } from "../dataset.js";
import { readMat, type MatArray } from "../mat.js";

const size = imageSize(cifarShape);
const [channels, height, width] = cifarShape;

const isByte = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 255;

/** The images of `X` [height, width, channels, count] and the labels of `y`, where 10 stands for the digit 0. */
function readDigits(file: LoadedFile): Split {
  const { path } = file;
  const arrays = readMat(file, ["X", "y"]);
  const arrayOf = (name: string): MatArray => arrays.get(name) as MatArray; // readMat yields all that it is asked for
  const [{ shape, data: pixels }, { data: classOf }] = [arrayOf("X"), arrayOf("y")];
  const count = shape[3] ?? 1;
  const fits = [height, width, channels].every((side, axis) => shape[axis] === side) && shape.length <= 4;
  check(fits && count > 0, `${path}: X`, "images 32×32×3×N", () => shape.join("×"));
  check(classOf.length === count, `${path}: y`, `${count} labels, one for each image`, () =>
    String(classOf.length),
  );
  const strange = pixels instanceof Uint8Array ? -1 : Array.from(pixels).findIndex((value) => !isByte(value));
  check(
    strange < 0,
    `${path}: X`,
    "whole numbers from 0 to 255",
    () => `${pixels[strange]} at index ${strange}`,
  );
  const split = { images: new Uint8Array(count * size), labels: new Uint8Array(count), count };
  for (let image = 0; image < count; image++)
    for (let channel = 0; channel < channels; channel++)
      for (let x = 0; x < width; x++)
        for (let y = 0; y < height; y++)
          split.images[image * size + (channel * height + y) * width + x] =
            pixels[image * size + (channel * width + x) * height + y] ?? 0;
  const labels = Array.from(classOf);
  const wrong = labels.findIndex((label) => !Number.isInteger(label) || label < 1 || label > 10);
  check(wrong < 0, `${path}: y`, "labels from 1 to 10", () => `${labels[wrong]} at index ${wrong}`);
  split.labels.set(labels.map((label) => label % 10));
  return split;
}

/** The images of both, one after the other. */
function joined(a: Split, b: Split): Split {
  const images = new Uint8Array(a.images.length + b.images.length);
  images.set(a.images);
  images.set(b.images, a.images.length);
  return { images, labels: Uint8Array.from([...a.labels, ...b.labels]), count: a.count + b.count };
}

const train: DatasetFile = {
  name: "train_32x32.mat",
  bytes: 182_040_794,
  md5: "e26dedcc434d2e4c54c9b2d4a06d8373",
};
const test: DatasetFile = {
  name: "test_32x32.mat",
  bytes: 64_275_384,
  md5: "eb5a983be6a315427106f1b164d9cef3",
};
const extra: DatasetFile = {
  ...{ name: "extra_32x32.mat", bytes: 1_329_278_602, md5: "a93ce644f1a588dc4d68dda5feec44a7" },
};

const shared = {
  licence: "for non-commercial use only, with citation",
  citation:
    "Y. Netzer, T. Wang, A. Coates, A. Bissacco, B. Wu, A. Y. Ng, “Reading digits in natural images with unsupervised " +
    "feature learning”, NIPS Workshop on Deep Learning and Unsupervised Feature Learning, 2011",
  imageShape: cifarShape,
  classes: 10,
  origins: [
    { kind: "web", base: "https://ufldl.stanford.edu/housenumbers/", suffix: "" },
    { kind: "web", base: "http://ufldl.stanford.edu/housenumbers/", suffix: "" },
  ],
} as const;

export const svhn: DatasetSource = {
  ...shared,
  name: "svhn",
  title: "Street View House Numbers, cropped digits",
  files: [train, test],
  read: (file) => ({ train: readDigits(file(train.name)), test: readDigits(file(test.name)) }),
};

/** The same, with the easier images behind the training images. */
export const svhnExtra: DatasetSource = {
  ...shared,
  name: "svhn-extra",
  title: "Street View House Numbers, with the extra training images",
  folder: "svhn",
  files: [train, extra, test],
  read: (file) => ({
    train: joined(readDigits(file(train.name)), readDigits(file(extra.name))),
    test: readDigits(file(test.name)),
  }),
};
