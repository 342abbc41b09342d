// Gradients of imported classifiers, exported by other tools, against central differences of the files themselves in
// ONNX Runtime; and their logits for three images at once against each image alone.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { gradient } from "../../src/autodiff/gradient.js";
import { count } from "../../src/base/shape.js";
import { floats, toNumbers, type Tensor } from "../../src/base/tensor.js";
import { interpret } from "../../src/graph/interpret.js";
import { importClassifier } from "../../src/nn/imported.js";
import { readOnnx } from "../../src/onnx/read.js";
import { sum } from "../../src/ops/index.js";
import { localEngine } from "../../src/runtime/engine.js";
import { drawn, expectNear } from "../support/against-runtime.js";
import { feeds, graphOf, rowsOf, softmaxOf } from "../support/classifiers.js";

const folder = join(import.meta.dirname, "..", "fixtures", "foreign");
const names = readdirSync(folder).filter((name) => name.endsWith(".onnx"));
const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

/** The first float output of the file itself for single images. */
async function runner(file: Uint8Array) {
  const { inputs, outputs } = readOnnx(file);
  const program = await engine.load(file);
  const output = outputs.find(({ type }) => type === "float")?.name ?? "";
  return {
    run: async (image: Tensor): Promise<number[]> => {
      const results = await program.run({ [inputs[0]?.name ?? ""]: { ...image, data: image.data.slice() } });
      const result = results[output];
      return result ? Array.from(toNumbers(result)) : [];
    },
    release: () => program.release(),
  };
}

describe.each(names)("%s", (name) => {
  const file = new Uint8Array(readFileSync(join(folder, name)));
  const { classifier, notes } = importClassifier(file);
  const { inputShape } = classifier.model;
  const isProbabilities = notes.some((note) => note.includes("at the end"));
  const { x, logits } = graphOf(classifier);
  const size = count(inputShape);
  const images = floats([3, ...inputShape], drawn([3, size], name).data as Float32Array);
  const imageAt = (row: number): Tensor =>
    floats([1, ...inputShape], images.data.slice(row * size, row * size + size) as Float32Array);

  it("three images at once = each alone in ONNX Runtime", async () => {
    const { run, release } = await runner(file);
    const [together] = interpret([logits], feeds(classifier, images));
    const rows = rowsOf(floats([3, classifier.model.classes], Float32Array.from(together?.data ?? [])));
    for (const [row, own] of rows.entries()) {
      const alone = await run(imageAt(row));
      expectNear(isProbabilities ? softmaxOf(own) : own, alone, 2e-5);
    }
    await release();
  });

  it.skipIf(isProbabilities)("the gradient = central differences of the file", async () => {
    const { run, release } = await runner(file);
    const [g] = gradient(sum(logits), [x]);
    if (g === undefined) throw new Error("no gradient");
    const [slope] = interpret([g], feeds(classifier, imageAt(0)));
    for (const direction of ["first", "second", "third"]) {
      const along = drawn([size], direction).data;
      const total = async (step: number): Promise<number> => {
        const data = Float32Array.from(toNumbers(imageAt(0)), (v, i) => v + step * Number(along[i]));
        return (await run(floats([1, ...inputShape], data))).reduce((a, b) => a + b, 0);
      };
      const step = 2e-3;
      const numeric = ((await total(step)) - (await total(-step))) / (2 * step);
      const exact = slope?.data.reduce((s, v, i) => s + v * Number(along[i]), 0) ?? NaN;
      expect(Math.abs(exact)).toBeGreaterThan(0);
      expect(Math.abs(exact - numeric)).toBeLessThan(0.02 * Math.abs(exact) + 2e-3);
    }
    await release();
  });
});
