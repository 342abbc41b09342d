// Suites: what each stage meets, what is kept, and which stages AutoAttack has against which classifier.
import { afterAll, describe, expect, it } from "vitest";
import type { Attack, AttackBatch } from "../../src/attacks/attack.js";
import { autoattack, fgsm, pgd, square } from "../../src/attacks/index.js";
import { suite } from "../../src/attacks/suite.js";
import { argMaxRows, floats } from "../../src/base/tensor.js";
import { exportClassifier } from "../../src/nn/classifier.js";
import { localEngine } from "../../src/runtime/engine.js";
import { findThreat } from "../../src/threat/find.js";
import { mlpClassifier, uniformPoints } from "../support/toy-models.js";

const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

const width = 21;
const mlp = mlpClassifier([3, 7], [16, 5], { scale: 3 });
const points = uniformPoints(40, mlp);
const threat = findThreat("linf");

async function classesOf(inputs: Float32Array): Promise<Int32Array> {
  const program = await engine.load(exportClassifier(mlp));
  const { logits } = await program.run({ input: floats([inputs.length / width, 3, 7], inputs.slice()) });
  await program.release();
  return argMaxRows(logits?.data as Float32Array, 5);
}
const labels = await classesOf(points);

const batchOf = (rows: readonly number[]): AttackBatch => ({
  inputs: floats(
    [rows.length, 3, 7],
    Float32Array.from(rows.flatMap((row) => [...points.subarray(row * width, (row + 1) * width)])),
  ),
  labels: Int32Array.from(rows, (row) => labels[row] ?? 0),
  targeted: false,
  indices: rows,
  epsilon: 0.06,
  seed: 1,
});
const everyRow = [...labels.keys()];

async function perturb(attack: Attack, rows: readonly number[] = everyRow): Promise<Float32Array> {
  const prepared = await attack.prepare({ engine, classifier: mlp, threat });
  const found = await prepared.perturb(batchOf(rows));
  await prepared.release();
  return found;
}

/** `attack`, noting the indices that it meets. */
function watched(attack: Attack, met: number[][]): Attack {
  return {
    ...attack,
    prepare: async (context) => {
      const prepared = await attack.prepare(context);
      return {
        ...prepared,
        perturb: (batch) => {
          met.push([...Array.from(batch.indices)]);
          return prepared.perturb(batch);
        },
      };
    },
  };
}

describe("a suite", () => {
  const met: number[][] = [];
  const stages = [
    watched(fgsm(), met),
    watched(pgd({ steps: 10 }), met),
    watched(square({ queries: 60 }), met),
  ];
  const both = suite({ name: "both", options: {}, norms: ["linf"], stages: () => stages });

  it("lets each stage meet what the ones before left standing, and keeps what brought a row down", async () => {
    const found = await perturb(both);
    const after = await classesOf(found);
    const one = await classesOf(await perturb(fgsm()));
    const [first, second, third] = met;
    expect(first).toEqual(everyRow);
    expect(second).toEqual(everyRow.filter((row) => one[row] === labels[row]));
    expect(third?.length).toBeLessThan(second?.length ?? 0);
    const fallen = everyRow.filter((row) => after[row] !== labels[row]);
    for (const row of everyRow) if (!(third ?? []).includes(row)) expect(fallen).toContain(row);
    const moved = threat.distance(
      found.map((v, i) => v - (points[i] ?? NaN)),
      width,
    );
    for (const distance of moved)
      expect(distance).toBeLessThanOrEqual(0.06 + threat.tolerance(width, [0, 1]));
  });

  it("gives a row the same bytes in any batch", async () => {
    const all = await perturb(both);
    for (const rows of [[3], [17, 4], [5, 6, 7, 8, 9]]) {
      const found = await perturb(both, rows);
      rows.forEach((row, i) =>
        expect(found.slice(i * width, (i + 1) * width)).toEqual(all.slice(row * width, (row + 1) * width)),
      );
    }
  });

  it("refuses a norm that it does not know", async () => {
    const other = { engine, classifier: mlp, threat: findThreat("l2") };
    await expect(both.prepare(other)).rejects.toThrow("both: expected a norm out of linf, got 'l2'");
  });
});

describe("autoattack", () => {
  const names = (
    version: "standard" | "plus" | "rand" | "fast",
    classes: number,
    norm = "linf",
  ): string[] => {
    const { model, ...rest } = mlp;
    const classifier = { ...rest, model: { ...model, classes } };
    const stages = autoattack({ version }).stages?.({ classifier, threat: findThreat(norm) }) ?? [];
    return stages.map(({ name, options }) => {
      const { restarts = 1, targets, queries, largerBalls, eot } = options;
      const budget = [restarts !== 1 && `×${restarts}`, targets, queries];
      const kind = [largerBalls === true && "larger", eot !== undefined && `over ${eot}`];
      return [name, ...budget, ...kind].filter(Boolean).join(" ");
    });
  };

  it("has the published stages and budgets", () => {
    expect(names("standard", 10)).toEqual(["apgd-ce", "apgd-t 9", "fab-t 9", "square 5000"]);
    expect(names("plus", 10)).toEqual([
      "apgd-ce ×5",
      "apgd-dlr ×5",
      "fab ×5",
      "square 5000",
      "apgd-t 9",
      "fab-t 9",
    ]);
  });

  it("has the budgets published for L1", () => {
    expect(names("standard", 10, "l1")).toEqual([
      "apgd-ce ×5 larger",
      "apgd-t 5 larger",
      "fab-t 9",
      "square 5000",
    ]);
  });

  it("leaves out losses that few classes do not allow", () => {
    expect(names("standard", 3)).toEqual(["apgd-ce", "apgd-dlr", "fab-t 9", "square 5000"]);
    expect(names("standard", 2)).toEqual(["apgd-ce", "fab", "fab-t 9", "square 5000"]);
    expect(names("plus", 2)).toEqual(["apgd-ce ×5", "fab ×5", "square 5000", "fab-t 9"]);
  });

  it("has the published stages for random models", () => {
    expect(names("rand", 10)).toEqual(["apgd-ce over 20", "apgd-dlr over 20"]);
    expect(names("rand", 2)).toEqual(["apgd-ce over 20"]);
    expect(autoattack({ version: "rand" }).leavesOut).toEqual([
      "APGD-T, FAB-T and Square: the published version for random models",
    ]);
  });

  it("says what its fast form leaves out", () => {
    expect(names("fast", 10)).toEqual(["apgd-ce", "apgd-t 3", "square 1000"]);
    expect(autoattack({ version: "fast" }).leavesOut).toEqual([
      "FAB-T",
      "all but 3 of nine target classes",
      "all but 1000 of 5,000 queries",
    ]);
    expect(autoattack().leavesOut).toEqual([]);
  });

  it("brings down all that PGD does", async () => {
    const after = await classesOf(await perturb(autoattack({ version: "fast" })));
    const pgdAfter = await classesOf(await perturb(pgd({ steps: 20 })));
    for (const row of everyRow) if (pgdAfter[row] !== labels[row]) expect(after[row]).not.toBe(labels[row]);
  });
});
