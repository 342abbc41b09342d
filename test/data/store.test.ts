// Where datasets are found, what is checked on the way in, and the registry.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { TemperError } from "../../src/base/errors.js";
import { cacheFolder } from "../../src/data/cache.js";
import { imageSize, type DatasetSource } from "../../src/data/dataset.js";
import * as datasets from "../../src/data/datasets/index.js";
import { npmRegistry, tarballAddress } from "../../src/data/registry.js";
import {
  datasetNamed,
  listDatasets,
  loadDataset,
  locateDataset,
  verifyDataset,
} from "../../src/data/store.js";
import { files, md5, npmOrigin, temporaryFolder, tiny } from "./fixtures.js";

const nowhere: string[] = [];
const source = tiny(npmOrigin(new Uint8Array()));

/** Writes the fixture's files, some of them replaced, into `folder`. */
function place(folder: string, contents: Readonly<Record<string, Uint8Array>> = {}): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries({ ...files, ...contents }))
    writeFileSync(join(folder, name), content);
}

function cacheWith(contents: Readonly<Record<string, Uint8Array>> = {}): {
  cacheDir: string;
  folder: string;
} {
  const cacheDir = temporaryFolder();
  const folder = join(cacheDir, "datasets", "tiny");
  place(folder, contents);
  return { cacheDir, folder };
}

describe("the cache folder", () => {
  it.each([
    ["linux", {}, "/home/me/.cache/temper"],
    ["linux", { XDG_CACHE_HOME: "/x" }, "/x/temper"],
    ["linux", { XDG_CACHE_HOME: "relative" }, "/home/me/.cache/temper"],
    ["darwin", { XDG_CACHE_HOME: "/x" }, "/home/me/Library/Caches/temper"],
    ["win32", { LOCALAPPDATA: "/local" }, "/local/temper/Cache"],
    ["win32", {}, "/home/me/AppData/Local/temper/Cache"],
    ["darwin", { TEMPER_CACHE: "/mine" }, "/mine"],
    ["linux", { TEMPER_CACHE: "" }, "/home/me/.cache/temper"],
  ] as const)("on %s with %o is %s", (platform, env, folder) => {
    expect(cacheFolder({ platform, env, home: "/home/me" })).toBe(folder);
  });
});

describe("the npm registry", () => {
  const silent = (): Promise<string> => Promise.resolve("");
  it("is the environment's, else npm's, else the public one", async () => {
    const given = { npm_config_registry: "http://127.0.0.1:1/npm" };
    expect(await npmRegistry(given, silent)).toBe("http://127.0.0.1:1/npm/");
    expect(await npmRegistry({}, () => Promise.resolve("http://127.0.0.1:2/"))).toBe("http://127.0.0.1:2/");
    expect(await npmRegistry({}, silent)).toBe("https://registry.npmjs.org/");
    expect(await npmRegistry({}, () => Promise.resolve("undefined"))).toBe("https://registry.npmjs.org/");
  });

  it("has a scoped package's tarball under its own name", () => {
    const scoped = { ...npmOrigin(new Uint8Array()), package: "@some/digits" };
    expect(tarballAddress("http://127.0.0.1/", scoped)).toBe(
      "http://127.0.0.1/@some/digits/-/digits-1.0.0.tgz",
    );
  });
});

describe("loading", () => {
  it("reads from the cache folder, plain or gz", async () => {
    const { cacheDir, folder } = cacheWith();
    expect(locateDataset(source, { cacheDir, resolveFrom: nowhere })).toMatchObject({
      kind: "cache",
      folder,
    });
    const dataset = await loadDataset(source, { cacheDir, resolveFrom: nowhere });
    expect(dataset).toMatchObject({ name: "tiny", imageShape: [1, 2, 3], classes: 3 });
    expect([...dataset.train.labels, ...dataset.test.labels]).toEqual([0, 1, 2, 0, 1, 2, 2, 1, 0, 2]);

    const zipped = temporaryFolder();
    mkdirSync(join(zipped, "datasets", "tiny"), { recursive: true });
    for (const [name, content] of Object.entries(files))
      writeFileSync(join(zipped, "datasets", "tiny", `${name}.gz`), gzipSync(content));
    expect(await loadDataset(source, { cacheDir: zipped, resolveFrom: nowhere })).toEqual(dataset);
  });

  it("reads from an installed package without running it, but the cache folder goes first", async () => {
    const project = temporaryFolder();
    const folder = join(project, "node_modules", "tiny-digits", "data");
    place(folder);
    writeFileSync(join(folder, "..", "package.json"), `{ "name": "tiny-digits", "main": "index.js" }`);
    writeFileSync(join(folder, "..", "index.js"), "throw new TemperError('was run');");
    const resolveFrom = [`${temporaryFolder()}/`, `${project}/`];
    const options = { cacheDir: temporaryFolder(), resolveFrom };
    expect(locateDataset(source, options)).toMatchObject({ kind: "package", folder });
    expect((await loadDataset(source, options)).train.count).toBe(6);
    const { cacheDir } = cacheWith();
    expect(locateDataset(source, { cacheDir, resolveFrom })?.kind).toBe("cache");
  });

  it("says what to run when it is nowhere", async () => {
    const cacheDir = temporaryFolder();
    const message =
      `tiny: expected its 4 files in ${join(cacheDir, "datasets", "tiny")} or the npm package tiny-digits, ` +
      "got none; run: temper data fetch tiny";
    const options = { cacheDir, resolveFrom: nowhere };
    await expect(loadDataset(source, options)).rejects.toThrow(new TemperError(message));
    await expect(verifyDataset(source, options)).rejects.toThrow(new TemperError(message));
  });

  it("refuses files that are whole but not the published ones", async () => {
    const images = Uint8Array.from(files["train-images"] ?? []).fill(7, -1);
    const { cacheDir, folder } = cacheWith({ "train-images": images });
    const published = md5(files["train-images"] ?? new Uint8Array());
    await expect(loadDataset(source, { cacheDir, resolveFrom: nowhere })).rejects.toThrow(
      new TemperError(
        `${join(folder, "train-images")}: expected md5 ${published}, got ${md5(images)}; ` +
          "to repair: temper data fetch tiny",
      ),
    );
  });

  it("says what is wrong with a file that is cut short", async () => {
    const { cacheDir, folder } = cacheWith({
      "test-labels": (files["test-labels"] ?? new Uint8Array()).subarray(0, 9),
    });
    await expect(loadDataset(source, { cacheDir, resolveFrom: nowhere })).rejects.toThrow(
      new TemperError(
        `${join(folder, "test-labels")}: expected 12 bytes (a header of 8, then 4), got 9: the file is cut short`,
      ),
    );
  });

  it("says so where a file cannot be read", async () => {
    const { cacheDir, folder } = cacheWith();
    rmSync(join(folder, "test-labels"));
    mkdirSync(join(folder, "test-labels"));
    await expect(loadDataset(source, { cacheDir, resolveFrom: nowhere })).rejects.toThrow(
      new TemperError(`${join(folder, "test-labels")}: expected a file that can be read, got EISDIR`),
    );
  });

  it("verifies file by file", async () => {
    const wrong = Uint8Array.of(1, 2);
    const { cacheDir, folder } = cacheWith({ "test-labels": wrong });
    const reports = await verifyDataset(source, { cacheDir, resolveFrom: nowhere });
    expect(reports.map(({ ok }) => ok)).toEqual([true, true, true, false]);
    expect(reports[3]).toEqual({ path: join(folder, "test-labels"), bytes: 2, md5: md5(wrong), ok: false });
  });

  it("names the files that the cache folder lacks", async () => {
    const { cacheDir, folder } = cacheWith();
    rmSync(join(folder, "test-labels"));
    const options = { cacheDir, resolveFrom: nowhere };
    expect((await verifyDataset(source, options))[3]).toEqual({
      path: join(folder, "test-labels"),
      bytes: 0,
      md5: null,
      ok: false,
    });
    await expect(loadDataset(source, options)).rejects.toThrow(
      new TemperError(
        `tiny: expected its 4 files in ${folder} or the npm package tiny-digits, got no test-labels; ` +
          "run: temper data fetch tiny",
      ),
    );
  });

  it("names the files it knows when a reader asks for another", async () => {
    const { cacheDir } = cacheWith();
    const slip: DatasetSource = { ...source, read: (file) => (file("train-image"), source.read(file)) };
    await expect(loadDataset(slip, { cacheDir, resolveFrom: nowhere })).rejects.toThrow(
      new TemperError(
        "tiny: unknown file 'train-image' – did you mean 'train-images'? " +
          "(known: train-images, train-labels, test-images, test-labels)",
      ),
    );
  });
});

describe.each(Object.entries(datasets))("the contract of dataset %s", (key, registered: DatasetSource) => {
  it("declares itself fully", () => {
    expect(registered.name).toBe(key);
    for (const text of [registered.title, registered.licence, registered.citation]) expect(text).not.toBe("");
    expect(registered.classes).toBeGreaterThan(1);
    expect(imageSize(registered.imageShape)).toBeGreaterThan(0);
    if (registered.classNames) expect(registered.classNames.length).toBe(registered.classes);
    for (const file of registered.files) expect(file.md5).toMatch(/^[0-9a-f]{32}$/);
    expect(registered.origins.length).toBeGreaterThan(0);
    for (const origin of registered.origins)
      if (origin.kind === "npm") expect(origin.integrity).toMatch(/^sha512-[A-Za-z0-9+/]{86}==$/);
      else if (origin.kind === "archive") expect(origin.address).toMatch(/^https:\/\/.*\.tar\.gz$/);
      // Plain http too: what it brings is held to its checksum.
      else expect(origin.base).toMatch(/^https?:\/\/.*\/$/);
  });

  it("is found by its name and listed", () => {
    expect(datasetNamed(key)).toBe(registered);
    const listing = listDatasets({ cacheDir: temporaryFolder(), resolveFrom: nowhere }).find(
      ({ name }) => name === key,
    );
    const { title, licence } = registered;
    const bytes = registered.files.reduce((sum, file) => sum + file.bytes, 0);
    expect(listing).toEqual({ name: key, title, licence, bytes, found: undefined, missing: [] });
  });
});

describe("the registry of datasets", () => {
  it("knows its names", () => {
    expect(() => datasetNamed("minst")).toThrow(
      new TemperError(
        `dataset: unknown name 'minst' – did you mean 'mnist'? (known: ${Object.keys(datasets).join(", ")})`,
      ),
    );
    expect(() => datasetNamed("toString")).toThrow("dataset: unknown name 'toString'");
  });
});

describe("MNIST as installed", () => {
  const { mnist } = datasets;
  const options = { cacheDir: "/nonexistent" };

  it("has the published counts, histogram and bytes", async () => {
    const { train, test } = await loadDataset(mnist, options);
    expect([train.count, test.count]).toEqual([60_000, 10_000]);
    expect([train.images.length, test.images.length]).toEqual([60_000 * 784, 10_000 * 784]);
    const histogram = new Array<number>(10).fill(0);
    for (const label of train.labels) histogram[label] = (histogram[label] ?? 0) + 1;
    expect(histogram).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    expect((await verifyDataset(mnist, options)).every(({ ok }) => ok)).toBe(true);
  });

  it("is listed where it lies", () => {
    expect(listDatasets(options).find(({ name }) => name === "mnist")?.found?.kind).toBe("package");
  });
});
