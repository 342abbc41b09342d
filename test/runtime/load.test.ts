// Graphs for engines that take less than the processor does: other forms, or a line that says what is missing.
import { afterAll, describe, expect, it } from "vitest";
import { adversarialBackprop } from "../../src/defenses/adversarial-backprop.js";
import { sgm } from "../../src/defenses/sgm.js";
import { pgd } from "../../src/attacks/pgd.js";
import { floats } from "../../src/base/tensor.js";
import { B } from "../../src/base/shape.js";
import { graphFunction } from "../../src/graph/function.js";
import { input, scope } from "../../src/graph/node.js";
import { anyRuntime } from "../../src/graph/op.js";
import { cast, erf, exp, mul, oneHot, tanh } from "../../src/ops/index.js";
import { localEngine, type Engine } from "../../src/runtime/engine.js";
import { loadFunction } from "../../src/runtime/load.js";
import { linf } from "../../src/threat/index.js";
import { mlpClassifier } from "../support/toy-models.js";
import { trainToy } from "../support/toy-training.js";

const engine = localEngine({ threads: 1 });
const withLoops: Engine = { ...engine, target: () => Promise.resolve(anyRuntime) };
const withoutLoops: Engine = { ...engine, target: () => Promise.resolve({ ...anyRuntime, loops: false }) };
afterAll(() => engine.close());

describe("an engine that leaves loops to the processor", () => {
  it.each([
    ["sgm", sgm({ lambda: 0.1 })],
    ["adversarial-backprop", adversarialBackprop({ epsilon: 0.05 })],
  ])("trains one step a run to the same bytes (%s)", async (_, defense) => {
    const [loop, steps] = [
      await trainToy(defense, {}, { engine: withLoops }),
      await trainToy(defense, {}, { engine: withoutLoops }),
    ];
    expect(steps.tensors).toEqual(loop.tensors);
    expect(steps.stored).toEqual(loop.stored);
    expect(steps.history).toEqual(loop.history);
  });

  it("attacks to the same bytes", async () => {
    const classifier = mlpClassifier([6], [8, 3], { scale: 1 });
    const batch = {
      inputs: floats(
        [4, 6],
        Float32Array.from({ length: 24 }, (_, i) => 0.2 + (i % 7) / 12),
      ),
      labels: Int32Array.of(0, 1, 2, 0),
      targeted: false,
      indices: [0, 1, 2, 3],
      epsilon: 0.1,
      seed: 0,
    };
    const results = [];
    for (const each of [withLoops, withoutLoops]) {
      const attack = await pgd({ steps: 7, restarts: 2 }).prepare({ classifier, threat: linf, engine: each });
      results.push(await attack.perturb(batch));
      await attack.release();
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[0]).not.toEqual(batch.inputs.data);
  });
});

describe("a provider that Temper does not know", () => {
  it("is refused with those it knows", () => {
    expect(() => localEngine({ provider: "wegbpu" })).toThrow(
      "engine: unknown provider 'wegbpu' – did you mean 'webgpu'? (known: cpu, webgpu, cuda, coreml, dml)",
    );
  });
});

describe("a provider that lacks operators", () => {
  /** Takes every node but error functions and one-hot rows. */
  const card: Engine = {
    ...engine,
    provider: "card",
    takes: (model) => Promise.resolve(!/Erf|OneHot/.test(Buffer.from(model).toString("latin1"))),
  };
  const [x, labels] = [input("x", [B, 3]), input("labels", [B], "int32")];

  it("is told apart before the run: the operation, its types and its place", async () => {
    const y = scope("head", () => mul(exp(x), erf(tanh(x))));
    await expect(loadFunction(card, graphFunction("f", [x], { y }))).rejects.toThrow(
      "f on card: expected operations that run there, got 'erf' (float32 → float32) in head (allowed: provider cpu)",
    );
    const more = { y, z: oneHot(cast(x, "int32"), 3) };
    await expect(loadFunction(card, graphFunction("g", [x], more))).rejects.toThrow(
      "in head and 1 more (allowed",
    );
  });

  it("takes what else there is, and lets the host turn labels into rows", async () => {
    const y = mul(exp(x), oneHot(labels, 3));
    const program = await loadFunction(card, graphFunction("f", [x, labels], { y }));
    await program.release();
  });
});
