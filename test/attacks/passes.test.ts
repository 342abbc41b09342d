// Passes are counted as they run: beside the products with the weights that the engine was given to compute.
import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { createAttack } from "../../src/attacks/create.js";
import { drawing } from "../../src/attacks/draws.js";
import { PassCounts } from "../../src/attacks/passes.js";
import { floats } from "../../src/base/tensor.js";
import { ModelProtoSchema, type GraphProto, type NodeProto } from "../../src/onnx/generated/onnx_pb.js";
import type { Classifier } from "../../src/nn/model.js";
import { localEngine, type Engine } from "../../src/runtime/engine.js";
import { findThreat, type NormName } from "../../src/threat/find.js";
import { linearClassifier, randomized } from "../support/toy-models.js";

const classes = 4;
const weights = Array.from({ length: classes }, (_, k) =>
  Array.from({ length: 6 }, (_, i) => Math.sin(3 * i + 7 * k)),
);
const linear = linearClassifier(weights, [0, 0, 0, 0], [0, 1]);
const rows = 3;

/** Products with the weights in a graph and in the bodies of its loops: a linear model has one each way. */
function productsIn(graph: GraphProto | undefined, outer: readonly string[] = []): number {
  const isWhole = (dims: readonly bigint[]): boolean => dims.reduce((a, b) => a * b, 1n) === 6n * 4n;
  const own = (graph?.initializer ?? []).filter(({ dims }) => isWhole(dims)).map(({ name }) => name);
  const known = [...outer, ...own];
  const isPass = ({ opType, input }: NodeProto): boolean =>
    (opType === "Gemm" || opType === "MatMul") && input.some((name) => known.includes(name));
  return (graph?.node ?? []).reduce(
    (total, node) =>
      node.attribute.reduce((inner, { g }) => inner + productsIn(g, known), total + (isPass(node) ? 1 : 0)),
    0,
  );
}

/** The engine, which adds up rows times products of what it runs. */
function watched(engine: Engine): { engine: Engine; seen: { products: number } } {
  const seen = { products: 0 };
  const load: Engine["load"] = async (model, options) => {
    const program = await engine.load(model, options);
    const products = productsIn(fromBinary(ModelProtoSchema, model).graph);
    return Object.assign(Object.create(program) as typeof program, {
      run: (feeds: Parameters<typeof program.run>[0]) => {
        const times = Number(feeds["iterations"]?.data[0] ?? 1);
        const n = (feeds["labels"] ?? feeds["input"])?.shape[0] ?? 0;
        seen.products += products * times * n;
        return program.run(feeds);
      },
      release: () => program.release(),
    });
  };
  return { engine: { ...engine, load }, seen };
}

async function countsOf(
  name: string,
  options: object,
  norm: NormName,
  epsilon = 1e-5,
  classifier: Classifier = linear,
) {
  const { engine, seen } = watched(localEngine({ threads: 1 }));
  const attack = createAttack(name, options);
  const prepared = await attack.prepare({
    engine: drawing(engine, classifier.model, "attack"),
    classifier,
    threat: findThreat(norm),
  });
  const passes = new PassCounts(rows);
  const inputs = floats(
    [rows, 6],
    Float32Array.from({ length: rows * 6 }, (_, i) => 0.5 + 0.4 * Math.sin(i)),
  );
  const labels = Int32Array.from({ length: rows }, (_, row) => {
    const z = weights.map((own) =>
      own.reduce((total, w, i) => total + w * Number(inputs.data[row * 6 + i]), 0),
    );
    return z.indexOf(Math.max(...z));
  });
  const batch = { inputs, labels, targeted: false, indices: [0, 1, 2], epsilon, seed: 0 };
  await prepared.perturb({ ...batch, passes });
  await prepared.release();
  const total = (counts: Float64Array): number => counts.reduce((a, b) => a + b, 0);
  return { passes, forward: total(passes.forward), gradient: total(passes.gradient), ...seen };
}

describe("passes through the model", () => {
  it.each<[string, object, NormName]>([
    ["fgsm", {}, "linf"],
    ["pgd", { steps: 7, restarts: 2 }, "linf"],
    ["bim", { steps: 7 }, "l2"],
    ["mi-fgsm", { steps: 6 }, "linf"],
    ["apgd-ce", { steps: 12, restarts: 2 }, "linf"],
    ["apgd-ce", { steps: 12, largerBalls: true }, "l1"],
    ["apgd-t", { steps: 12, targets: 2 }, "l2"],
    ["fab-t", { steps: 12, targets: 2 }, "linf"],
    ["ddn", { steps: 12 }, "l2"],
    ["carlini-wagner", { steps: 20, searchSteps: 2, abortEarly: false }, "l2"],
    ["ead", { steps: 20, searchSteps: 2, abortEarly: false }, "l1"],
    ["spsa", { steps: 3, samples: 5 }, "linf"],
    ["square", { queries: 30 }, "l2"],
  ])("of %s %j are those that the engine runs", async (name, options, norm) => {
    const { forward, gradient, products } = await countsOf(name, options, norm);
    expect(forward).toBeGreaterThan(0);
    expect(forward + gradient).toBe(products);
  });

  it("of pgd are one forwards and one backwards a step, and one forwards to compare restarts", async () => {
    const { passes } = await countsOf("pgd", { steps: 7, restarts: 2 }, "linf");
    expect([...passes.forward]).toEqual([16, 16, 16]);
    expect([...passes.gradient]).toEqual([14, 14, 14]);
  });

  it("of steps that average over draws are as many each way as there are draws", async () => {
    const noisy = randomized(linear, 0.01);
    const pgd = await countsOf("pgd", { steps: 7, eot: 3 }, "linf", 1e-5, noisy);
    expect([...pgd.passes.forward]).toEqual([21, 21, 21]);
    expect([...pgd.passes.gradient]).toEqual([21, 21, 21]);
    const fgsm = await countsOf("fgsm", { eot: 4 }, "linf", 1e-5, noisy);
    expect([...fgsm.passes.forward]).toEqual([4, 4, 4]);
    const auto = await countsOf("apgd-ce", { steps: 4, eot: 5 }, "linf", 1e-5, noisy);
    for (const count of auto.passes.gradient) expect([15, 25]).toContain(count);
    expect(auto.forward).toBe(auto.gradient);
  });

  it("of fab and deepfool are one gradient for each class that is compared", async () => {
    const fab = await countsOf("fab", { steps: 12 }, "linf");
    expect([...fab.passes.forward]).toEqual([25, 25, 25]);
    expect([...fab.passes.gradient]).toEqual([36, 36, 36]);
    const { passes } = await countsOf("deepfool", { steps: 12 }, "linf");
    const asked = [...passes.forward].map((count) => 3 * (count - 1));
    expect([...passes.gradient]).toEqual(asked);
    expect(Math.min(...asked)).toBeGreaterThan(0);
  });

  it("of Square end with the query that brings the image down", async () => {
    const far = await countsOf("square", { queries: 60 }, "l2", 0.9);
    const still = await countsOf("square", { queries: 60 }, "l2");
    expect([...still.passes.forward]).toEqual([61, 61, 61]);
    expect([...far.passes.gradient]).toEqual([0, 0, 0]);
    for (const count of far.passes.forward) expect(count).toBeLessThan(61);
  });

  it("of HopSkipJump and of suites are the sums of their parts", async () => {
    const jump = await countsOf("hop-skip-jump", { steps: 1, initialQueries: 10 }, "l2", Infinity);
    // 128 images to begin from, two bisections, ten directions, and the halvings of a step.
    const bisections = Math.ceil(Math.log2(6 ** 1.5));
    for (const count of jump.passes.forward) {
      expect(count).toBeGreaterThanOrEqual(128 + 2 * bisections + 10 + 1);
      expect(count).toBeLessThanOrEqual(128 + 2 * bisections + 10 + 24);
    }
    expect(jump.gradient).toBe(0);
    const suite = await countsOf("autoattack", { version: "fast" }, "linf");
    const parts = [
      await countsOf("apgd-ce", {}, "linf"),
      await countsOf("apgd-t", { targets: 3 }, "linf"),
      await countsOf("square", { queries: 1000 }, "linf"),
    ];
    // After each stage one look at every row: which has fallen.
    const judged = parts.length * rows;
    expect(suite.forward).toBe(parts.reduce((total, { forward }) => total + forward, judged));
    expect(suite.gradient).toBe(parts.reduce((total, { gradient }) => total + gradient, 0));
  });
});
