// Random models under the runner: one draw for each image, whatever the batch, the same for clean and attacked points.
import { afterAll, describe, expect, it } from "vitest";
import { pgd, square } from "../../src/attacks/index.js";
import { evaluate, type EvaluateOptions } from "../../src/evaluation/evaluate.js";
import { localEngine } from "../../src/runtime/engine.js";
import { mlpClassifier, randomized, uniformPoints } from "../support/toy-models.js";

const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

const width = 8;
const n = 70;
const noisy = randomized(mlpClassifier([width], [12, 4], { seed: 3, scale: 3 }), 0.3);
const points = uniformPoints(n, noisy);
const rows = (indices: readonly number[]): Float32Array =>
  Float32Array.from(indices.flatMap((i) => [...points.subarray(i * width, (i + 1) * width)]));

const run = (options: Partial<EvaluateOptions> = {}, labels = Array<number>(n).fill(0)) =>
  evaluate(noisy, { count: n, labels, rows }, { engines: [engine], trials: [], ...options });

const trialsOf = (attack: ReturnType<typeof pgd>, epsilons: readonly number[] = [0, 0.1]) => [
  { attack, norm: "linf", epsilons } as const,
];

describe("evaluations of a random model", () => {
  it("judge an image by its own draw under the seed, in any batch", async () => {
    const { predictions, flags } = await run();
    expect(flags.map(({ name }) => name)).toContain("random-model");
    expect(flags.map(({ name }) => name)).not.toContain("random-outputs");
    const labels = [...predictions];
    const all = await run({ trials: trialsOf(pgd({ steps: 6, eot: 3 })) }, labels);
    expect(all.clean).toBe(1);
    expect(all.robust.map(({ accuracy }) => accuracy)).toEqual([1, expect.closeTo(0.5, 0)]);
    for (const more of [{ batchSize: 7 }, { limit: 9, batchSize: 2 }]) {
      const part = await run({ trials: trialsOf(pgd({ steps: 6, eot: 3 })), ...more }, labels);
      part.outcomes.forEach(({ correct }, t) =>
        expect(correct).toEqual(all.outcomes[t]?.correct.slice(0, correct.length)),
      );
    }
    const { clean } = await run({ seed: 1 }, labels);
    expect(clean).toBeGreaterThan(0.5);
    expect(clean).toBeLessThan(1);
  });

  it("doubt attacks that follow single draws, and take attacks without gradients", async () => {
    const labels = [...(await run()).predictions];
    const trials = [...trialsOf(pgd({ steps: 4 })), ...trialsOf(square({ queries: 20 }), [0.1])];
    const { flags, robust } = await run({ trials }, labels);
    expect(flags.map(({ name }) => name)).toContain("single-draws");
    expect(robust).toHaveLength(3);
    const averaged = await run({ trials: trialsOf(pgd({ steps: 4, eot: 2 })) }, labels);
    expect(averaged.flags.map(({ name }) => name)).not.toContain("single-draws");
  });
});
