// Training, attacks and evaluation on WebGPU through a graphics card in software, where one is installed.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { adversarialBackprop } from "../../src/defenses/adversarial-backprop.js";
import { compose } from "../../src/defenses/compose.js";
import { sgm } from "../../src/defenses/sgm.js";
import { graphFunction } from "../../src/graph/function.js";
import { input, scope } from "../../src/graph/node.js";
import { activation, batchNorm, convolution, dense, flatten, maxPooling } from "../../src/nn/layers/index.js";
import { sequential } from "../../src/nn/sequential.js";
import { scatterAdd } from "../../src/ops/index.js";
import { loadFunction } from "../../src/runtime/load.js";
import { apartEngine, driver } from "../support/software-driver.js";
import { toyShape } from "../support/toy-data.js";
import { trainToy } from "../support/toy-training.js";

const engine = apartEngine({ provider: "webgpu", threads: 1 });
const folder = mkdtempSync(join(tmpdir(), "temper-webgpu-"));
afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

const recipe = `
name: tiny
dataset: mnist
model: { mlp: { hidden: [32] } }
training: { learningRate: 0.5, batchSize: 32, epochs: 2, limit: 512 }
methods: [adversarial-backprop: { epsilon: 0.02 }]
evaluation:
  limit: 32
  attacks: [fgsm: { epsilon: 0.05 }, pgd: { epsilon: 0.05, steps: 3 }]
`;

/** What `temper run` finds on `provider`: accuracy on clean images, under FGSM and under PGD. */
async function runOn(provider: string): Promise<readonly number[]> {
  const program = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
  const out = join(folder, provider);
  writeFileSync(join(folder, "tiny.yaml"), recipe);
  const args = [
    program,
    "run",
    join(folder, "tiny.yaml"),
    "--provider",
    provider,
    "--out",
    out,
    "--jobs",
    "1",
  ];
  await promisify(execFile)(process.execPath, args, { env: driver.env, timeout: 170_000 });
  const { rows } = JSON.parse(readFileSync(join(out, "results.json"), "utf8")) as {
    rows: { clean: number; robust: { accuracy: number }[] }[];
  };
  return rows.flatMap(({ clean, robust }) => [clean, ...robust.map(({ accuracy }) => accuracy)]);
}

describe.skipIf(driver.reason !== undefined)("on WebGPU", () => {
  it("a convolutional network trains to the weights it has on the processor", async () => {
    const model = sequential("conv", toyShape, [
      convolution(4, 3),
      batchNorm(),
      activation("relu"),
      maxPooling(2),
      flatten(),
      dense(4),
    ]);
    const defense = compose([adversarialBackprop({ epsilon: 0.05 }), sgm({})]);
    const options = { model, epochs: 1, count: 48 };
    const [here, there] = [await trainToy(defense, options), await trainToy(defense, options, { engine })];
    expect(there.history[0]?.metrics["loss"]).toBeCloseTo(here.history[0]?.metrics["loss"] ?? NaN, 3);
    for (const [name, { data }] of Object.entries(here.tensors))
      data.forEach((x, i) => expect(Number(there.tensors[name]?.data[i]), name).toBeCloseTo(Number(x), 3));
  });

  it("a recipe trains, attacks and evaluates as on the processor", async () => {
    const [here, there] = [await runOn("cpu"), await runOn("webgpu")];
    expect(here[0]).toBeGreaterThan(0.5);
    // Points at a boundary may fall on either side of it: one image in 32 is 0.03.
    here.forEach((accuracy, i) => expect(Math.abs(accuracy - (there[i] ?? NaN))).toBeLessThan(0.1));
  }, 180_000);

  it("names what the provider has no operator for before anything runs", async () => {
    const [g, at] = [input("g", [2]), input("at", [2], "int64")];
    const y = scope("layer", () => scatterAdd(g, at, 0, [4]));
    await expect(loadFunction(engine, graphFunction("f", [g, at], { y }))).rejects.toThrow(
      "f on webgpu: expected operations that run there, got 'scatterAdd' (float32, int64 → float32) in layer (allowed: provider cpu)",
    );
  });
});
