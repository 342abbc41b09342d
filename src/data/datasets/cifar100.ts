// CIFAR-100: 50,000 and 10,000 small colour images, 32×32, of a hundred kinds of things in twenty groups.
import { cifarShape, readCifar } from "../cifar.js";
import type { DatasetSource } from "../dataset.js";

const fine =
  "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly " +
  "camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup " +
  "dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower " +
  "leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid " +
  "otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray " +
  "road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar " +
  "sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle " +
  "wardrobe whale willow_tree wolf woman worm";
const coarse =
  "aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices " +
  "household_furniture insects large_carnivores large_man-made_outdoor_things " +
  "large_natural_outdoor_scenes large_omnivores_and_herbivores medium_mammals non-insect_invertebrates " +
  "people reptiles small_mammals trees vehicles_1 vehicles_2";

const shared = {
  licence: "no formal licence; free for research, with citation",
  citation:
    "A. Krizhevsky, “Learning Multiple Layers of Features from Tiny Images”, technical report, University of Toronto, 2009",
  imageShape: cifarShape,
  files: [
    { name: "train.bin", bytes: 153_700_000, md5: "6172c7755cfe09b2fe270c85cebc1b15" },
    { name: "test.bin", bytes: 30_740_000, md5: "4499cfba6c016c1be1438163640a0898" },
  ],
  origins: [
    {
      kind: "archive",
      address: "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
      folder: "cifar-100-binary",
    },
    // The copy that MindSpore's documentation has its readers fetch.
    {
      kind: "archive",
      address:
        "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/cifar-100-binary.tar.gz",
      folder: "cifar-100-binary",
    },
  ],
} as const;

/** The dataset with one of the two labels of each record. */
const labelled = (label: 0 | 1, classes: number): Pick<DatasetSource, "classes" | "read"> => ({
  classes,
  read: (file) => {
    const form = { labels: 2, label, classes } as const;
    return { train: readCifar([file("train.bin")], form), test: readCifar([file("test.bin")], form) };
  },
});

export const cifar100: DatasetSource = {
  ...shared,
  ...labelled(1, 100),
  name: "cifar100",
  title: "CIFAR-100 small colour images, fine labels",
  classNames: fine.split(" "),
};

/** The same images, with the twenty groups as classes. */
export const cifar100Coarse: DatasetSource = {
  ...shared,
  ...labelled(0, 20),
  name: "cifar100-coarse",
  title: "CIFAR-100 small colour images, coarse labels",
  folder: "cifar100",
  classNames: coarse.split(" "),
};
