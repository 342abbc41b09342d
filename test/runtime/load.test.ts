// Graphs for engines that take less than the processor does: other forms, or a line that says what is missing.
import { afterAll, describe, expect, it } from "vitest";
import { adversarialBackprop } from "../../src/defenses/adversarial-backprop.js";
import { sgm } from "../../src/defenses/sgm.js";
import { pgd } from "../../src/attacks/pgd.js";
import { floats } from "../../src/base/tensor.js";
import { randomStream } from "../../src/base/random.js";
import { gradient } from "../../src/autodiff/gradient.js";
import { B, type Shape } from "../../src/base/shape.js";
import { graphFunction } from "../../src/graph/function.js";
import { interpret, toArray64 } from "../../src/graph/interpret.js";
import { input, scope } from "../../src/graph/node.js";
import { anyRuntime } from "../../src/graph/op.js";
import { cast, conv, erf, exp, mul, oneHot, sum, tanh } from "../../src/ops/index.js";
import { exportFunction } from "../../src/onnx/export.js";
import { readOnnx } from "../../src/onnx/read.js";
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

describe("a convolution with constant filters and a wide frame", () => {
  const [x, w] = [input("x", [B, 16, 6, 7]), input("w", [16, 16, 5, 5])];
  const fn = graphFunction("framed", [x, w], {
    y: conv(x, w, { pads: [2, 1, 2, 2] }),
  });
  const drawn = (shape: readonly number[], seed: number) => {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    randomStream(seed, "framed").uniform(data, { sample: 0 }, [-1, 1]);
    return floats(shape, data);
  };
  const filters = drawn([16, 16, 5, 5], 0);

  it("has its columns padded in front of it, where there are blocked kernels", () => {
    const types = (block: number) => {
      const file = exportFunction(fn, { weights: { w: filters }, target: { ...anyRuntime, block } });
      return readOnnx(file).nodes.map(({ operator }) => operator);
    };
    expect(types(8)).toContain("Pad");
    expect(types(0)).not.toContain("Pad");
  });

  it("says what the interpreter says", async () => {
    const inputs = drawn([3, 16, 6, 7], 1);
    const program = await loadFunction(engine, fn, { weights: { w: filters } });
    const { y } = await program.run({ x: { ...inputs, data: inputs.data.slice() } });
    await program.release();
    const values = { x: toArray64(inputs), w: toArray64(filters) };
    const [expected] = interpret(Object.values(fn.outputs), { batch: 3, values });
    expect(y?.data.length).toBe(expected?.data.length);
    expected?.data.forEach((v, i) => expect(Number(y?.data[i])).toBeCloseTo(v, 4));
  });
});

describe("the input adjoint of a convolution with strides and large filters", () => {
  const shapes = { x: [2, 512, 5, 6], w: [512, 512, 2, 3] };
  const [x, w] = [input("x", shapes.x), input("w", shapes.w)];
  const y = conv(x, w, { strides: [2, 3], pads: [1, 0, 0, 2], dilations: [2, 1] });
  const g = input("g", y.shape);
  const [adjoint = x] = gradient(sum(mul(y, g)), [x]);
  const fn = graphFunction("adjoint", [g, w], { adjoint });
  const drawn = (shape: Shape, seed: number) => {
    const data = new Float32Array(shape.map(Number).reduce((a, b) => a * b, 1));
    randomStream(seed, "columns").uniform(data, { sample: 0 }, [-1, 1]);
    return floats(shape.map(Number), data);
  };

  it("is one product and a sum of columns, where ONNX Runtime's kernels are the processor's", () => {
    const types = (block: number) =>
      readOnnx(exportFunction(fn, { target: { ...anyRuntime, block } })).nodes.map(
        ({ operator }) => operator,
      );
    expect(types(8)).toContain("Col2Im");
    expect(types(0)).not.toContain("Col2Im");
  });

  it("says what the interpreter says", async () => {
    const [cotangent, filters] = [drawn(y.shape, 0), drawn(w.shape, 1)];
    const program = await loadFunction(engine, fn);
    const run = await program.run({
      g: { ...cotangent, data: cotangent.data.slice() },
      w: { ...filters, data: filters.data.slice() },
    });
    await program.release();
    const values = { g: toArray64(cotangent), w: toArray64(filters) };
    const [expected] = interpret([adjoint], { batch: 2, values });
    expect(run["adjoint"]?.shape).toEqual(shapes.x);
    expected?.data.forEach((v, i) => expect(Number(run["adjoint"]?.data[i])).toBeCloseTo(v, 3));
  });
});
