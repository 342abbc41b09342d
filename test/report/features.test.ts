// First-layer features: how many there are is kept beside the few that are shown, from the model to the caption.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { firstLayerFeatures } from "../../src/experiments/features.js";
import type { Gallery, RunRecord } from "../../src/experiments/run-record.js";
import { paths, readRun, writeGallery, writeJson } from "../../src/experiments/store.js";
import { features } from "../../src/report/features.js";
import { linearClassifier } from "../support/toy-models.js";
import { fakeRun } from "./fake-run.js";

const folder = mkdtempSync(join(tmpdir(), "temper-features-"));
afterAll(() => rmSync(folder, { recursive: true }));

const withFeatures = (total: number | null): RunRecord => {
  const record = fakeRun({ names: ["standard"] });
  const galleries = record.galleries.map((gallery): Gallery => ({
    ...gallery,
    features: gallery.features && { ...gallery.features, total },
  }));
  return { ...record, galleries };
};

it("keeps the patterns of 64 units at most and the number of all", () => {
  const rows = Array.from({ length: 400 }, () => [1, 2, 3]);
  const found = firstLayerFeatures(
    linearClassifier(
      rows,
      rows.map(() => 0),
      [0, 1],
    ),
  );
  expect(found?.shape[0]).toBe(64);
  expect(found?.total).toBe(400);
});

it.each([
  [400, "The first 32 of 400 filters (28×28)"],
  [null, "The first 32 filters (28×28)"],
])("captions them with their number, through the run's files: %s", async (total, caption) => {
  const { run, results, galleries } = withFeatures(total);
  const [gallery] = galleries;
  if (!gallery) throw new Error("no gallery");
  await writeJson(join(folder, paths.run), run);
  await writeJson(join(folder, paths.results), results);
  await writeGallery(join(folder, paths.gallery("standard-seed0")), gallery);
  const figure = await features(await readRun(folder));
  expect(figure?.caption).toContain(caption);
});

it("stand side by side for the cases of a recipe, each with its own number where they differ", async () => {
  const record = fakeRun({ names: ["standard", "adversarial-backprop"] });
  const inCase = (of: string, total: number): Gallery[] =>
    record.galleries.map((gallery) => ({
      ...gallery,
      case: of,
      features: gallery.features && { ...gallery.features, total },
    }));
  const galleries = [...inCase("relu", 400), ...inCase("dropout", 400).slice(0, 1)];
  const same = await features({ ...record, galleries });
  expect(same?.caption).toContain("The first 32 of 400 filters (28×28) of each method.");
  const titles = ({ panels }: NonNullable<typeof same>): (string | undefined)[] =>
    panels.slice(0, -1).map(({ svg }) => svg.match(/(?<=<text[^>]*>)[^<]+/g)?.join(": "));
  expect(same && titles(same)).toEqual(["relu.standard", "relu.adversarial-backprop", "dropout.standard"]);
  const other = await features({ ...record, galleries: [...galleries, ...inCase("wide", 1200).slice(0, 1)] });
  expect(other?.caption).toContain("The first filters of each method. One scale for all");
  expect(other && titles(other).at(-1)).toBe("wide.standard: 32 of 1,200 filters (28×28)");
});
