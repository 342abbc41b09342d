// Points crafted on one model and judged on another.
import { afterAll, describe, expect, it } from "vitest";
import type { Attack, AttackBatch } from "../../src/attacks/attack.js";
import { createAttack } from "../../src/attacks/create.js";
import { transferFrom } from "../../src/attacks/transfer.js";
import { randomStream } from "../../src/base/random.js";
import { argMaxRows, floats, type Tensor } from "../../src/base/tensor.js";
import { exportClassifier } from "../../src/nn/classifier.js";
import type { Classifier } from "../../src/nn/model.js";
import { localEngine } from "../../src/runtime/engine.js";
import { findThreat } from "../../src/threat/find.js";
import { mlpClassifier, uniformPoints } from "../support/toy-models.js";

const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

const rows = 80;
const source = mlpClassifier([21], [16, 5], { scale: 3 });

/** The source's weights with noise, as another training run might have them. */
function relative({ weights }: Classifier): Classifier {
  const target = mlpClassifier([3, 7], [16, 5]);
  const noisy = ([name, { shape, data }]: [string, Tensor]) => {
    const noise = new Float32Array(data.length);
    randomStream(1, name).normal(noise, { sample: 0 });
    return [
      name,
      floats(
        shape,
        noise.map((v, i) => Number(data[i]) + 0.1 * v),
      ),
    ] as const;
  };
  return { ...target, weights: Object.fromEntries(Object.entries(weights).map(noisy)) };
}
const target = relative(source);
const points = uniformPoints(rows, target);

async function classes(classifier: Classifier, values: Float32Array): Promise<Int32Array> {
  const program = await engine.load(exportClassifier(classifier));
  const { logits } = await program.run({
    input: floats([rows, ...classifier.model.inputShape], values.slice()),
  });
  await program.release();
  return argMaxRows(logits?.data as Float32Array, 5);
}
const labels = await classes(target, points);

async function perturb(attack: Attack, classifier: Classifier, more: Partial<AttackBatch> = {}) {
  const prepared = await attack.prepare({ engine, classifier, threat: findThreat("linf") });
  const inputs = floats([rows, ...classifier.model.inputShape], points);
  const indices = [...labels.keys()];
  const result = await prepared.perturb({
    inputs,
    labels,
    targeted: false,
    indices,
    epsilon: 0.1,
    seed: 3,
    ...more,
  });
  await prepared.release();
  return result;
}

const fallen = async (values: Float32Array): Promise<number> =>
  (await classes(target, values)).filter((c, i) => c !== labels[i]).length;

const transfer = (name: string, options: Record<string, unknown> = {}): Attack =>
  transferFrom({ classifier: source, name: "other.onnx" }, createAttack(name, options));

describe("transfer", () => {
  it("brings down what the attack brings down on the source, without a gradient of the target", async () => {
    const got = await perturb(transfer("pgd", { steps: 10 }), target);
    expect(got).toEqual(await perturb(createAttack("pgd", { steps: 10 }), source));
    expect(await fallen(got)).toBeGreaterThan(10);
    expect(await fallen(got)).toBeLessThan(
      await fallen(await perturb(createAttack("pgd", { steps: 10 }), target)),
    );
  });

  it("brings down more with points that went on after the source fell", async () => {
    const [rested, went] = [true, false].map((rest) => perturb(transfer("pgd", { steps: 10, rest }), target));
    expect(await fallen((await went) ?? points)).toBeGreaterThan(await fallen((await rested) ?? points));
  });

  it.each(["pgd", "bim", "apgd-ce", "apgd-t"])(
    "%s goes on after success where it is told to",
    async (name) => {
      const attack = createAttack(name, { steps: 10 });
      const went = attack.unresting?.();
      if (went === undefined) throw new Error("rests always");
      expect(went.options).toMatchObject({ steps: 10, rest: false });
      const other = { classifier: source, name: "other.onnx" };
      const rested = await fallen(await perturb(transferFrom(other, attack), target));
      expect(await fallen(await perturb(transferFrom(other, went), target))).toBeGreaterThan(rested);
    },
  );

  it("says what it is", () => {
    const attack = transfer("mi-fgsm", { steps: 5, rest: false });
    expect(attack.kind).toBe("transfer");
    expect(attack.name).toBe("mi-fgsm transfer from other.onnx");
    expect(attack.options).toMatchObject({ from: "other.onnx", attack: "mi-fgsm", steps: 5, rest: false });
  });

  it("refuses models that do not fit, and attacks that leave room in the ball", async () => {
    const pgd = createAttack("pgd");
    const small = transferFrom({ classifier: mlpClassifier([20], [5]), name: "a.onnx" }, pgd);
    await expect(perturb(small, target)).rejects.toThrow(
      "transfer from a.onnx: expected inputs of 21 numbers, as in [3, 7], got [20]",
    );
    const few = transferFrom({ classifier: mlpClassifier([21], [4]), name: "b.onnx" }, pgd);
    await expect(perturb(few, target)).rejects.toThrow("transfer from b.onnx: expected 5 classes, got 4");
    for (const name of ["fab", "square"])
      expect(() => transfer(name)).toThrow(
        `transfer: expected a gradient attack within a fixed ε, got '${name}'`,
      );
    const twice = transferFrom({ classifier: source, name: "a.onnx" }, createAttack("pgd"));
    expect(() => transferFrom({ classifier: source, name: "b.onnx" }, twice)).toThrow(
      "transfer: expected a gradient attack within a fixed ε, got 'pgd transfer from a.onnx'",
    );
    await expect(perturb(transfer("pgd"), target, { epsilon: -1 })).rejects.toThrow(
      "pgd transfer from other.onnx: expected a finite ε of at least 0, got -1",
    );
  });
});
