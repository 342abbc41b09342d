// Profiles: kernels under the graph's names, and a small step profiled from end to end. Nothing is said about times.
import { describe, expect, it } from "vitest";
import { attribute, engineScope } from "../../src/experiments/kernels.js";
import { profileStep, profileSubject } from "../../src/experiments/profile.js";
import { subjectFrom } from "../../src/experiments/profile-subject.js";
import { readRecipeFile } from "../../src/experiments/cases.js";
import { readRecipe } from "../../src/experiments/recipe.js";
import { profileFile } from "../../src/experiments/records.js";
import { costOf } from "../../src/experiments/step.js";
import { datasetNamed } from "../../src/data/index.js";
import { B } from "../../src/base/shape.js";
import { input, scope } from "../../src/graph/node.js";
import type { Written } from "../../src/onnx/writer.js";
import { matmul, relu } from "../../src/ops/index.js";
import type { KernelTimes } from "../../src/runtime/profiler.js";
import { localEngine } from "../../src/runtime/engine.js";
import { standard } from "../../src/defenses/standard.js";
import { toyShape } from "../support/toy-data.js";
import { toyModel, toyStep } from "../support/toy-training.js";

describe("kernels of a profile", () => {
  const product = scope("train/dense1", () => matmul(input("x", [B, 10]), input("w", [10, 5])));
  const written: Written[] = [
    { name: "body/train/dense1/Transpose_0", scope: "train/dense1", outputs: ["body/v0"], node: product },
    { name: "body/train/dense1/Gemm_1", scope: "train/dense1", outputs: ["body/v1"], node: product },
    { name: "body/train/relu1/Relu_2", scope: "train/relu1", outputs: ["body/v2"], node: relu(product) },
    { name: "body/outputs/Identity_3", scope: "outputs", outputs: ["body/y"], node: null },
  ];
  const timed = (name: string, kind: string, calls: number, ...milliseconds: number[]): KernelTimes => ({
    name,
    kind,
    calls,
    milliseconds,
  });
  const within = (room: number, ...kernels: KernelTimes[]) =>
    attribute(kernels, { written, batchSize: 4, runs: [1, 2], stepsPerRun: 2, runCount: 3, room });
  const of = (...kernels: KernelTimes[]) => within(Infinity, ...kernels);

  it("get scope, operation and work; of several for one operation the longest has it", () => {
    const { kernels, asProfiled, profilerPerCall } = of(
      timed("body/train/dense1/Transpose_0", "Transpose", 6, 90, 2, 4),
      timed("body/train/dense1/Gemm_1", "Gemm", 6, 90, 8, 12),
      timed("body/outputs/Identity_3", "Identity", 6, 0.6, 0.6, 0.6),
    );
    expect(profilerPerCall).toBeCloseTo(0.3);
    expect(asProfiled).toBeCloseTo(1.5 + 5 + 0.3);
    expect(kernels.map(({ name, scope: at, operation, calls }) => [at, name, operation, calls])).toEqual([
      ["train/dense1", "Transpose_0", "matmul", 1],
      ["train/dense1", "Gemm_1", "matmul", 1],
      ["outputs", "Identity_3", null, 1],
    ]);
    expect(kernels.map(({ milliseconds }) => Number(milliseconds.toFixed(6)))).toEqual([1.2, 4.7, 0]);
    expect(kernels.map(({ multiplyAdds }) => multiplyAdds)).toEqual([0, 4 * 10 * 5, null]);
  });

  it("lose what the profiler adds: the quickest's time, more where they would not fit, never above the quartile", () => {
    const kernels = [0.2, 0.4, 0.6, 4].map((ms, i) => timed(`k${i}`, "Mul", 6, 2 * ms, 2 * ms, 2 * ms));
    expect(within(100, ...kernels).profilerPerCall).toBeCloseTo(0.2);
    expect(within(4, ...kernels).profilerPerCall).toBeCloseTo(0.3);
    expect(within(1, ...kernels).profilerPerCall).toBeCloseTo(0.4);
  });

  it("that ONNX Runtime made keep the name of what they replace, or are its own", () => {
    const { kernels } = of(
      timed("fused body/train/dense1/Gemm_1", "FusedGemm", 6, 1, 1, 1),
      timed("body/v2_nchwc", "Relu", 6, 1, 1, 1),
      timed("body/train/relu1/Relu_2_token_7", "Relu", 6, 1, 1, 1),
      timed("ReorderInput_token_3", "ReorderInput", 6, 1, 1, 1),
    );
    expect(kernels.map(({ scope: at, kind }) => `${at} ${kind}`)).toEqual([
      "train/dense1 FusedGemm",
      "train/relu1 Relu",
      "train/relu1 Relu",
      `${engineScope} ReorderInput`,
    ]);
  });

  it("may be none", () => expect(of()).toEqual({ kernels: [], asProfiled: 0, profilerPerCall: 0 }));
});

const small = {
  name: "small",
  dataset: "mnist",
  model: { mlp: { hidden: [8], dropout: 0.2 } },
  training: { batchSize: 4, optimizer: { wame: {} } },
  methods: ["standard", { "adversarial-backprop": {} }, { sgm: {} }],
};
const [plain, recipe] = [readRecipe(small), readRecipeFile(small)];

describe("profileStep", () => {
  const engine = localEngine({ threads: 1 });

  it("accounts for every kernel of a step, and for all its work", async () => {
    const rounds: number[] = [];
    const profile = await profileStep({
      recipe,
      method: "adversarial-backprop",
      steps: 16,
      engine,
      onProgress: (done, all) => void rounds.push(done, all),
    });
    expect(profileFile.parse(profile)).toEqual(profile);
    expect(profile).toMatchObject({ recipe: "small", method: "adversarial-backprop", batchSize: 4 });
    expect(profile.steps).toMatchObject({ count: 16, perRun: 2 });
    expect(rounds).toEqual(Array.from({ length: 9 }, (_, i) => [i, 8]).flat());
    const { kernels, times } = profile;
    expect(kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0)).toBeCloseTo(times.kernels, 9);
    for (const { calls } of kernels) expect(calls).toBe(1);
    const passes = new Set(kernels.map(({ scope: at }) => at.split("/")[0]));
    expect([...passes].sort()).toEqual(["batch", "craft", "optimizer", "proceed", "train"]);
    const work = kernels.reduce((sum, { multiplyAdds }) => sum + (multiplyAdds ?? 0), 0);
    const [, abp] = plain.methods;
    const { images, count } = { images: new Uint8Array(0), count: 0 };
    const part = { images, labels: images, count };
    const dataset = { ...datasetNamed("mnist"), train: part, test: part };
    expect(work).toBe(abp && costOf(plain, dataset, abp).work);
  });

  it("takes a step that is no recipe's", async () => {
    const [model, step] = [toyModel(), toyStep(standard())];
    const given = { step, batchSize: 3, imageShape: toyShape };
    const subject = subjectFrom(model, given, await engine.target());
    const { batchSize, steps, kernels } = await profileSubject(subject, model.classes, { engine, steps: 2 });
    expect({ batchSize, count: steps.count }).toEqual({ batchSize: 3, count: 2 });
    expect(kernels.some(({ scope: at }) => at.startsWith("train/"))).toBe(true);
  });

  it("runs steps that move their inputs, and few of them", async () => {
    const { steps, kernels } = await profileStep({ recipe, method: "sgm", steps: 3, engine });
    expect(steps).toMatchObject({ count: 3, perRun: 1 });
    expect(kernels.some(({ scope: at }) => at === "sgm")).toBe(true);
  });

  it.each([
    [{}, "profile: expected the name of a method, got none (allowed: standard, adversarial-backprop, sgm)"],
    [
      { method: "standart" },
      "profile: unknown method 'standart' – did you mean 'standard'? (known: standard, adversarial-backprop, sgm)",
    ],
  ])("says what is wrong with %j", async (given, message) => {
    await expect(profileStep({ recipe, engine, ...given })).rejects.toThrow(message);
  });

  it("refuses a step that ends at once", async () => {
    const diverging = readRecipeFile({ ...small, methods: [{ "adversarial-backprop": { epsilon: 3e38 } }] });
    await expect(profileStep({ recipe: diverging, engine })).rejects.toThrow(
      /^profile: expected a finite loss from fresh weights, got (NaN|Infinity)$/,
    );
  });

  it("refuses more steps than a profile can hold", async () => {
    const many = profileStep({ recipe, engine, method: "standard", steps: 1_000_000 });
    await expect(many).rejects.toThrow(
      /^profile: steps: expected at most \d+ for a step of \d+ kernels, got 1000000$/,
    );
  });
});
