// Momentum: the step goes along m ← μ·m + g / ‖g‖₁.
import { afterAll, expect, it } from "vitest";
import type { Attack } from "../../src/attacks/attack.js";
import { bim, "mi-fgsm" as miFgsm } from "../../src/attacks/index.js";
import { floats } from "../../src/base/tensor.js";
import { localEngine } from "../../src/runtime/engine.js";
import { l2 } from "../../src/threat/index.js";
import { mlpClassifier, uniformPoints } from "../support/toy-models.js";

const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

/** Steps far from ball and box. */
const classifier = mlpClassifier([21], [16, 5], { scale: 0.3, bounds: [-50, 50] });
const points = uniformPoints(1, classifier);

async function moved(attack: Attack): Promise<Float32Array> {
  const prepared = await attack.prepare({ engine, classifier, threat: l2 });
  const batch = { inputs: floats([1, 21], points), labels: Int32Array.of(0), indices: [0], seed: 0 };
  const result = await prepared.perturb({ ...batch, targeted: true, epsilon: 40 });
  await prepared.release();
  return result;
}

const minus = (a: Float32Array, b: Float32Array): number[] => [...a].map((v, i) => v - (b[i] ?? NaN));
const over = (vector: readonly number[], length: number): number[] => vector.map((v) => v / length);
const inL1 = (vector: readonly number[]): number[] =>
  over(
    vector,
    vector.reduce((total, v) => total + Math.abs(v), 0),
  );

it("adds the gradients of all steps, each of length 1 in L1, earlier ones times μ", async () => {
  const common = { stepSize: 0.5, steps: 2 };
  const one = await moved(bim({ ...common, steps: 1 }));
  const two = await moved(bim(common));
  const [first, second] = [inL1(minus(one, points)), inL1(minus(two, one))];
  for (const momentum of [0, 0.4, 2]) {
    const sum = second.map((v, i) => v + momentum * (first[i] ?? NaN));
    const step = over(sum, Math.hypot(...sum) / 0.5);
    const got = minus(await moved(miFgsm({ ...common, momentum })), one);
    step.forEach((v, i) => expect(got[i]).toBeCloseTo(v, 4));
  }
  expect(await moved(miFgsm({ ...common, momentum: 0 }))).toEqual(two);
});
