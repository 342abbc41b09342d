// A classifier without any gradient: attacks find nothing, and what they return is finite and in the ball.
import { afterAll, expect, it } from "vitest";
import { createAttack } from "../../src/attacks/create.js";
import { floats } from "../../src/base/tensor.js";
import { localEngine } from "../../src/runtime/engine.js";
import { findThreat } from "../../src/threat/find.js";
import { linearClassifier, uniformPoints } from "../support/toy-models.js";

const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

const width = 9;
const flat = linearClassifier(
  Array.from({ length: 4 }, () => new Array<number>(width).fill(0)),
  [3, 2, 1, 0],
  [0, 1],
);
const points = uniformPoints(6, flat);
const names = ["fgsm", "bim", "mi-fgsm", "pgd", "apgd-ce", "apgd-dlr", "apgd-t"];

it.each(names.flatMap((name) => ["linf", "l2", "l1"].map((norm) => [name, norm] as const)))(
  "%s in %s stays finite and in the ball",
  async (name, norm) => {
    const threat = findThreat(norm);
    const attack = createAttack(name, name === "fgsm" ? {} : { steps: 6 });
    const prepared = await attack.prepare({ engine, classifier: flat, threat });
    const got = await prepared.perturb({
      inputs: floats([6, width], points),
      labels: new Int32Array(6),
      targeted: false,
      indices: [0, 1, 2, 3, 4, 5],
      epsilon: 0.5,
      seed: 1,
    });
    await prepared.release();
    expect(got.every((v) => v >= 0 && v <= 1)).toBe(true);
    const moved = got.map((v, i) => v - (points[i] ?? NaN));
    for (const distance of threat.distance(moved, width))
      expect(distance).toBeLessThanOrEqual(0.5 + threat.tolerance(width, [0, 1]));
  },
);
