// Images that one model misreads and another reads: found by a run, kept, drawn.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Contrast } from "../../src/experiments/contrast.js";
import { parseRecipe } from "../../src/experiments/recipe-file.js";
import type { RunRecord } from "../../src/experiments/run-record.js";
import { runRecipe } from "../../src/experiments/run.js";
import { readRun } from "../../src/experiments/store.js";
import { contrast } from "../../src/report/contrast.js";

const root = mkdtempSync(join(tmpdir(), "temper-contrast-"));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const text = `
name: parted
dataset: mnist
model: { mlp: { hidden: [30] } }
training: { epochs: 6, limit: 640, batchSize: 20 }
methods: [standard, { adversarial-backprop: { epsilon: 0.1 } }]
evaluation:
  limit: 100
  examples: 3
  attacks: [{ deepfool: {} }, { fgsm: { epsilon: [0.15, 0.05] } }]
  transferFrom: { method: standard, seed: 0 }
`;

describe("a recipe whose points are crafted on one method's model", () => {
  let record: RunRecord;
  let found: Contrast;
  beforeAll(async () => {
    await runRecipe({ recipe: parseRecipe(text, "parted.yaml"), text, folder: root });
    record = await readRun(root);
    const [first] = record.contrasts;
    if (first === undefined) throw new Error("nothing kept");
    found = first;
  });

  it("keeps images that it misreads and the other reads, at the largest radius", () => {
    expect(record.contrasts).toHaveLength(1);
    expect(found).toMatchObject({
      method: "adversarial-backprop",
      source: "standard-seed0",
      attack: { attack: "fgsm", norm: "linf" },
    });
    expect(found.at.map(({ epsilon }) => epsilon)).toEqual([0.05, 0.15]);
    const largest = found.at[1];
    expect(found.labels.length).toBe(3);
    expect(largest?.reads).toEqual(found.labels);
    largest?.sourceReads.forEach((read, i) => {
      expect(read).not.toBe(found.labels[i]);
    });
  });

  it("keeps the copies within their radius and the bounds", () => {
    for (const { epsilon, adversarial } of found.at) {
      expect(adversarial.every((v) => v >= 0 && v <= 1)).toBe(true);
      const changes = adversarial.map((v, i) => Math.abs(v - (found.originals[i] ?? NaN)));
      expect(Math.max(...changes)).toBeCloseTo(epsilon, 5);
    }
  });

  it("draws the originals and, for each radius, copies and perturbations", async () => {
    const figure = await contrast(record);
    const [panel] = figure?.panels ?? [];
    expect(panel?.svg.split("<image")).toHaveLength(1 + 3 + 2 * 2 * 3);
    expect(figure?.caption).toContain("crafted on the first model at ε 0.15");
    expect(await contrast({ ...record, contrasts: [] })).toBeNull();
  });
});
