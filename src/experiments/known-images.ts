// The images of folders that a run has begun with: it goes on with the same ones only.
import { join } from "node:path";
import { z } from "zod";
import { check } from "../base/errors.js";
import type { Materials } from "./materials.js";
import type { Recipe } from "./recipe.js";
import { paths, readJson, writeJson } from "./store.js";
import { hash } from "./trials.js";

const imagesFile = z.strictObject({
  schema: z.literal(1),
  folders: z.record(z.string(), z.string()).describe("hash of files and labels, by the folders' paths"),
});

/** Throws where the folders of images that `materials` read are not as the run in `folder` has read them before. */
export async function checkImages(folder: string, materials: ReadonlyMap<Recipe, Materials>): Promise<void> {
  const path = join(folder, paths.images);
  const known = (await readJson(path, imagesFile))?.folders ?? {};
  const all = new Map(Object.entries(known));
  for (const [{ dataset }, { dataset: images }] of materials) {
    const { train, test } = images;
    if (typeof dataset === "string" || !("rows" in train) || !("rows" in test)) continue;
    const key = `${dataset.folder.train}, ${dataset.folder.test}`;
    const now = hash([train.identity, test.identity]);
    const wanted = `the files of ${key} that this run has begun with`;
    check((known[key] ?? now) === now, folder, wanted, () => {
      return `others (--fresh starts over; where only times have changed, remove ${paths.images})`;
    });
    all.set(key, now);
  }
  if (all.size > 0) await writeJson(path, { schema: 1, folders: Object.fromEntries(all) });
}
