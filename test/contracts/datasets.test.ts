// The dataset contract: every dataset the registry exports is held to it by existing.
// Ten images in its own format lie in test/fixtures/datasets/<name>/.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { TemperError } from "../../src/base/errors.js";
import { imageSize, type DatasetSource } from "../../src/data/dataset.js";
import { datasets, loadDataset } from "../../src/data/index.js";

const sources = Object.entries(datasets as Record<string, DatasetSource>);

describe.each(sources)("%s", (name, source) => {
  const folder = join(import.meta.dirname, "..", "fixtures", "datasets", source.folder ?? name);
  const file = (part: string) => ({
    path: join(folder, part),
    bytes: new Uint8Array(readFileSync(join(folder, part))),
  });

  it("is called what its export is called, and says whose it is", () => {
    expect(source.name).toBe(name);
    expect(source.licence.length).toBeGreaterThan(3);
    expect(source.citation.length).toBeGreaterThan(10);
    expect(source.origins.length).toBeGreaterThan(0);
  });

  it("reads ten images of its own format: sizes, labels in range", () => {
    const { train, test } = source.read(file);
    // Datasets that share a folder may read more of it than others do.
    expect(train.count + test.count).toBeGreaterThanOrEqual(10);
    for (const split of [train, test]) {
      expect(split.images.length).toBe(split.count * imageSize(source.imageShape));
      expect(split.labels.length).toBe(split.count);
      for (const label of split.labels) expect(label).toBeLessThan(source.classes);
      expect(Math.max(...split.images)).toBeGreaterThan(0);
    }
    if (source.classNames) expect(source.classNames.length).toBe(source.classes);
  });

  it("declares the size and checksum of every file it reads", () => {
    const read = new Set<string>();
    source.read((part) => {
      read.add(part);
      return file(part);
    });
    expect([...read].sort()).toEqual(source.files.map((each) => each.name).sort());
    for (const each of source.files) {
      expect(each.md5).toMatch(/^[0-9a-f]{32}$/);
      expect(each.bytes).toBeGreaterThan(0);
      expect(existsSync(join(folder, each.name))).toBe(true);
    }
  });

  it("refuses files that are not the published ones", async () => {
    const cacheDir = join(import.meta.dirname, "..", "fixtures");
    const loading = loadDataset(source, { cacheDir, resolveFrom: [] });
    await expect(loading).rejects.toThrow(TemperError);
    await expect(loading).rejects.toThrow(
      /: expected md5 [0-9a-f]{32}, got [0-9a-f]{32}; to repair: temper data fetch /,
    );
  });
});
