// An imported classifier keeps its own names for input and output, and is evaluated under them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { fgsm } from "../../src/attacks/index.js";
import { evaluate } from "../../src/evaluation/evaluate.js";
import { importClassifier } from "../../src/nn/imported.js";
import { localEngine } from "../../src/runtime/engine.js";

const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

it.each(["mlp", "cnn"])("evaluates %s.onnx, written by another tool", async (name) => {
  const file = readFileSync(join(import.meta.dirname, "..", "fixtures", `${name}.onnx`));
  const { classifier } = importClassifier(file);
  const size = classifier.model.inputShape.reduce((a, b) => a * b, 1);
  const count = 12;
  const points = Float32Array.from({ length: count * size }, (_, i) => ((i * 37) % 101) / 100);
  const result = await evaluate(
    classifier,
    {
      count,
      labels: new Int32Array(count),
      rows: (indices) =>
        Float32Array.from(indices.flatMap((i) => [...points.subarray(i * size, (i + 1) * size)])),
    },
    { engines: [engine], trials: [{ attack: fgsm(), norm: "linf", epsilons: [0, 0.2] }] },
  );
  expect(result.predictions).toHaveLength(count);
  expect(result.robust[0]?.accuracy).toBe(result.clean);
});
