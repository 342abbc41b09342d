// What only HopSkipJump does: it starts at random images, walks on decisions alone, and keeps the nearest point.
import { afterAll, describe, expect, it } from "vitest";
import type { AttackBatch } from "../../src/attacks/attack.js";
import { hopSkipJump } from "../../src/attacks/hop-skip-jump.js";
import { argMaxRows, floats } from "../../src/base/tensor.js";
import { exportClassifier } from "../../src/nn/classifier.js";
import type { Classifier } from "../../src/nn/model.js";
import { mul } from "../../src/ops/arithmetic.js";
import { exp } from "../../src/ops/exponential.js";
import { localEngine } from "../../src/runtime/engine.js";
import { findThreat } from "../../src/threat/find.js";
import { linearClassifier, mlpClassifier, uniformPoints } from "../support/toy-models.js";

const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

const rows = 24;
const classifier = mlpClassifier([21], [16, 5], { scale: 3 });
const points = uniformPoints(rows, classifier);

async function classes(values: Float32Array): Promise<Int32Array> {
  const program = await engine.load(exportClassifier(classifier));
  const { logits } = await program.run({ input: floats([values.length / 21, 21], values.slice()) });
  await program.release();
  return argMaxRows(logits?.data as Float32Array, 5);
}
const labels = await classes(points);

type Options = Parameters<typeof hopSkipJump>[0];

async function perturb(
  options: Options,
  {
    norm = "l2",
    target = classifier,
    ...more
  }: Partial<AttackBatch> & { norm?: string; target?: Classifier } = {},
): Promise<Float32Array> {
  const prepared = await hopSkipJump(options).prepare({
    engine,
    classifier: target,
    threat: findThreat(norm),
  });
  const inputs = floats([rows, 21], points);
  const indices = [...labels.keys()];
  const base = { inputs, labels, targeted: false, indices, epsilon: Infinity, seed: 3 };
  const result = await prepared.perturb({ ...base, ...more });
  await prepared.release();
  return result;
}

const distances = (norm: string, values: Float32Array): Float64Array =>
  findThreat(norm).distance(
    values.map((v, i) => v - (points[i] ?? NaN)),
    21,
  );

describe("hop-skip-jump", () => {
  it("refuses options that say nothing, and inputs without bounds", async () => {
    const cases: [Record<string, unknown>, string][] = [
      [{ steps: 0 }, "hop-skip-jump.steps: expected number to be >=1, got 0"],
      [{ initialQueries: 0 }, "hop-skip-jump.initialQueries: expected number to be >=1, got 0"],
      [
        { gamma: 0 },
        "hop-skip-jump.gamma: expected a number of at least 0.000001, or a fraction like 8/255, got 0",
      ],
    ];
    for (const [options, message] of cases) expect(() => hopSkipJump(options as never)).toThrow(message);
    const unbounded = { ...classifier, bounds: [0, Infinity] as const };
    await expect(perturb({}, { target: unbounded })).rejects.toThrow(
      "hop-skip-jump: expected finite bounds of the inputs, got 0 to Infinity",
    );
  });

  it.each(["l2", "linf"])(
    "comes nearer in %s with each step, and never leaves the other side",
    async (norm) => {
      const found = [];
      for (const steps of [1, 4, 16]) {
        const got = await perturb({ steps }, { norm });
        (await classes(got)).forEach((c, row) => expect(c).not.toBe(labels[row]));
        found.push(distances(norm, got));
      }
      const [few = [], some = [], many = []] = found;
      for (let row = 0; row < rows; row++) {
        expect(some[row]).toBeLessThanOrEqual(few[row] ?? NaN);
        expect(many[row]).toBeLessThanOrEqual(some[row] ?? NaN);
      }
      const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);
      expect(sum(many)).toBeLessThan(0.7 * sum(few));
    },
  );

  it("sees decisions alone: other logits with the same classes change nothing", async () => {
    const { model } = classifier;
    const target: Classifier = {
      ...classifier,
      model: { ...model, apply: (x, pass) => exp(mul(model.apply(x, pass), 0.125)) },
    };
    expect(await perturb({ steps: 2 }, { target })).toEqual(await perturb({ steps: 2 }));
  });

  it("stops where a point lies within ε", async () => {
    const all = distances("l2", await perturb({ steps: 12 }));
    const epsilon = [...all].sort((a, b) => a - b)[rows / 2] ?? NaN;
    const within = distances("l2", await perturb({ steps: 12 }, { epsilon }));
    for (let row = 0; row < rows; row++) {
      if ((all[row] ?? NaN) <= epsilon) expect(within[row]).toBeGreaterThan(0);
      else expect(within[row]).toBe(0);
      expect(within[row]).toBeLessThanOrEqual(epsilon);
    }
  });

  it("reaches the class it is given, and returns the input where no random image has it", async () => {
    const targets = labels.map((label) => (label + 1) % 5);
    const got = await perturb({ steps: 4 }, { targeted: true, labels: targets });
    const reached = await classes(got);
    const moved = distances("l2", got);
    for (let row = 0; row < rows; row++) if ((moved[row] ?? 0) > 0) expect(reached[row]).toBe(targets[row]);
    expect([...moved].filter((d) => d > 0).length).toBeGreaterThan(rows / 2);
    const never = linearClassifier(
      [new Array<number>(21).fill(0), new Array<number>(21).fill(0)],
      [1, 0],
      [0, 1],
    );
    const zeros = new Int32Array(rows);
    expect(await perturb({ steps: 2 }, { target: never, labels: zeros })).toEqual(points);
  });

  it("draws by seed, the same for all samples", async () => {
    const got = await perturb({ steps: 2 });
    expect(await perturb({ steps: 2 }, { seed: 4 })).not.toEqual(got);
    expect(await perturb({ steps: 2 }, { indices: [...labels.keys()].map((i) => i + 5) })).toEqual(got);
  });
});
