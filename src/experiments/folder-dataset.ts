// Folders of images as a recipe's dataset: listed when they are opened, decoded when their images are asked for.
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import type { AnyDataset } from "../data/dataset.js";
import { openImageFolder, type ImageFolderOptions } from "../data/image-folder.js";
import type { ImageSet } from "../data/image-set.js";
import { checkSeveralClasses, streamed } from "./images.js";
import { datasetForm, type ImageFolders } from "./recipe-dataset.js";

/** Bytes of prepared images that a process keeps of each split. */
export const keptImages = 2 ** 29;

/** Threads that decode, at most. */
const mostThreads = 8;

/** A dataset, what there is to say of it, and an end to the threads that read it. */
export interface OpenedDataset {
  readonly dataset: AnyDataset;
  readonly notes: readonly string[];
  readonly close: () => Promise<void>;
}

/** The images of `folder`, whose paths are relative to `base`; throws where they are not of the declared classes. */
export async function openFolders(folder: ImageFolders, base: string): Promise<OpenedDataset> {
  const { train, test, classes, unreadable = "refuse", ...geometry } = folder;
  const form = datasetForm({ folder });
  const open = (
    path: string,
    { order, classNames }: Required<Pick<ImageFolderOptions, "order" | "classNames">>,
  ): Promise<ImageSet> =>
    openImageFolder(resolve(base, path), {
      order,
      ...{ imageShape: form.imageShape, geometry, classes: form.classes, classNames, unreadable },
      ...{ cacheBytes: keptImages, threads: Math.min(mostThreads, availableParallelism()) },
    });
  // Validation takes an end of the training images, a limit a beginning of either; audits limit a folder by rounds.
  const named = typeof classes === "number" ? undefined : classes;
  const training = await open(train, { order: "shares", classNames: named });
  checkSeveralClasses(training);
  // A test folder may lack images of some classes, or have them in another order by name.
  const tests = await open(test, { order: "rounds", classNames: training.classNames });
  const sets = [training, tests];
  return {
    dataset: { ...streamed(training), ...form, test: streamed(tests).train },
    notes: sets.flatMap(({ name, notes }) => notes.map((note) => `${name}: ${note}`)),
    close: async () => {
      for (const set of sets) await set.close?.();
    },
  };
}
