// `dataset` in recipes: a registered dataset by name, or folders of images with what is made of them.
import { z } from "zod";
import { check, fail } from "../base/errors.js";
import { OptionError, parseOptions } from "../base/options.js";
import type { ImageShape } from "../data/dataset.js";
import { unreadableWays } from "../data/image-folder.js";
import { sizeAfter } from "../data/images/prepare.js";
import { datasetNamed } from "../data/index.js";
import { extent, preprocessingSchema } from "../data/preprocessing.js";
import { withPath } from "./references.js";

const classesText = "expected a whole number of at least 2, or the classes' names in order";

const folderSchema = preprocessingSchema.pick({ resize: true, interpolation: true, crop: true }).extend({
  train: z.string().min(1).describe("folder of the training images, relative to the recipe"),
  test: z.string().min(1).describe("folder of the test images, likewise"),
  size: extent.optional().describe("of the images, where neither crop nor resize: [height, width] says it"),
  channels: z.enum(["gray", "rgb"]).default("rgb"),
  classes: z
    .union([z.int().min(2), z.array(z.coerce.string()).min(2)], classesText)
    .describe("how many, or their names in order; default order: sub-folders sorted by name"),
  // Without a default, so that recipes which do not say it keep the identity of their trainings.
  unreadable: z
    .enum(unreadableWays)
    .optional()
    .describe(
      "images that cannot be read: refuse (default) names the first, skip leaves them out and counts them",
    ),
});

/** Folders of images, and what is made of each image. */
export type ImageFolders = z.output<typeof folderSchema>;

/** A registered dataset's name, or folders of images; part of what decides a training. */
export type DatasetEntry = string | { readonly folder: ImageFolders };

const entrySchema = z.strictObject({ folder: z.unknown().optional() });

/** Height and width of the images, from all that says them. */
function sizeOf({ size, ...geometry }: ImageFolders): readonly [height: number, width: number] {
  const after = sizeAfter(geometry);
  const given = size === undefined ? null : sizeAfter({ crop: size });
  const found = after ?? given;
  if (found === null)
    throw new OptionError(
      "recipe.dataset.folder: expected size, crop, or resize: [height, width], got none of them",
      [],
    );
  const sizes = [found, given ?? found].map(({ height, width }) => `${height}×${width}`);
  check(sizes[0] === sizes[1], "recipe.dataset.folder.size", `${sizes[0]}, as cropped or resized`, () =>
    String(sizes[1]),
  );
  return [found.height, found.width];
}

/** What is known of a dataset without its images. */
export interface DatasetForm {
  readonly name: string;
  readonly imageShape: ImageShape;
  readonly classes: number;
}

/** The last folder that both paths share, else the training images' path. */
function nameOf({ train, test }: ImageFolders): string {
  const [own = [], other = []] = [train, test].map((path) => path.split(/[/\\]/));
  const last = own[own.findIndex((part, i) => part !== other[i]) - 1] ?? "";
  return /^\.*$/.test(last) ? train : last;
}

/** Name, shape and classes of a recipe's dataset. */
export function datasetForm(entry: DatasetEntry): DatasetForm {
  if (typeof entry === "string") return datasetNamed(entry);
  const { folder } = entry;
  const { classes, channels } = folder;
  return {
    name: nameOf(folder),
    imageShape: [channels === "gray" ? 1 : 3, ...sizeOf(folder)],
    classes: typeof classes === "number" ? classes : classes.length,
  };
}

/** A recipe's `dataset`; errors carry the path in the recipe. */
export function readDataset(given: unknown): DatasetEntry {
  return withPath(["dataset"], () => {
    if (typeof given === "string") {
      datasetNamed(given);
      return given;
    }
    if (typeof given !== "object" || given === null)
      throw new OptionError(
        `recipe.dataset: expected a dataset's name, or { folder: { … } }, got ${JSON.stringify(given)}`,
        [],
      );
    const { folder } = parseOptions("recipe.dataset", entrySchema, given);
    const entry = withPath(["folder"], () => {
      const read = { folder: parseOptions("recipe.dataset.folder", folderSchema, folder) };
      sizeOf(read.folder);
      return read;
    });
    return entry;
  });
}

/** The same folders with images of another size, resized to it; registered datasets have one size only. */
export function resizedTo(entry: DatasetEntry, size: readonly [height: number, width: number]): DatasetEntry {
  if (typeof entry === "string")
    return fail("recipe.smoke.size", "folders of images", `the dataset '${entry}'`);
  const { crop: _, size: __, ...rest } = entry.folder;
  return { folder: { ...rest, resize: size } };
}
