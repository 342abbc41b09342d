// harden and export: models, attacks and training steps as ONNX files.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { floats, scalar, tensor } from "../../src/base/tensor.js";
import { importClassifier } from "../../src/nn/imported.js";
import { exportClassifier } from "../../src/nn/classifier.js";
import { readOnnx } from "../../src/onnx/read.js";
import { localEngine } from "../../src/runtime/engine.js";
import { drawn } from "../support/against-runtime.js";
import { foreignFile } from "../support/onnx-builder.js";
import { mlpClassifier } from "../support/toy-models.js";
import { temper, temporaryFolder } from "./cli.js";

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);

const quick = ["--dataset", "mnist", "--epochs", "2", "--batch-size", "32", "--limit", "512"];

/** A classifier under names of its own, as another tool would write it: flat inputs. */
function foreignModel(): Uint8Array {
  const classifier = mlpClassifier([784], [16, 10], { scale: 1 });
  const model = { ...classifier.model, io: { input: "pixels", output: "scores" } };
  return exportClassifier({ ...classifier, model });
}
writeFileSync(at("foreign.onnx"), foreignModel());

describe("temper harden", () => {
  it("trains a network, and again in two parts with the same bytes", async () => {
    const args = ["harden", "mlp", "--set", "mlp.hidden=[16]", "--defense", "adversarial-backprop", ...quick];
    const whole = await temper([...args, "--set", "epsilon=8/255", "--out", at("whole.onnx")]);
    expect(whole).toMatchObject({ code: 0 });
    expect(whole.err).toContain("adversarial-backprop: epoch 2/2, loss ");
    const broken = [...args, "--set", "epsilon=8/255", "--out", at("broken.onnx")];
    const first = await temper(broken, {
      onErr: (text, signals) => void (text.includes("epoch 1/2") && signals.emit("SIGINT")),
    });
    expect(first.code).toBe(130);
    expect(existsSync(at("broken.onnx"))).toBe(false);
    expect((await temper(broken)).code).toBe(0);
    expect(readFileSync(at("broken.onnx")).equals(readFileSync(at("whole.onnx")))).toBe(true);
    expect(existsSync(at("broken.onnx.checkpoint"))).toBe(false);
  });

  it("goes on with the number of threads it began with", async () => {
    const args = ["harden", "mlp", "--set", "mlp.hidden=[16]", "--defense", "standard", ...quick];
    const [one, two] = ["1", "2"].map((n) => [...args, "--out", at("threads.onnx"), "--threads", n]);
    const first = await temper(one ?? [], {
      onErr: (text, signals) => void (text.includes("epoch 1/2") && signals.emit("SIGINT")),
    });
    expect(first.code).toBe(130);
    const other = await temper(two ?? []);
    expect(other.code).toBe(1);
    expect(other.err).toContain("threads.onnx.checkpoint");
    expect((await temper(one ?? [])).code).toBe(0);
  });

  it("trains a file of another tool, keeps its names, and leaves what is frozen", async () => {
    const args = [
      "harden",
      at("foreign.onnx"),
      "--defense",
      "sgm,sign-noise",
      "--set",
      "sgm.lambda=0.1",
      ...quick,
    ];
    const { code, out, err } = await temper([
      ...args,
      "--freeze",
      "*0",
      "--out",
      at("hardened.onnx"),
      "--json",
    ]);
    expect(code).toBe(0);
    expect(err).toContain("trains w1, b1\nleaves w0, b0 as it is\nkeeps moving inputs: 1.6 MB in memory");
    expect(JSON.parse(out)).toMatchObject({ file: at("hardened.onnx"), epochs: 2 });
    const before = importClassifier(readFileSync(at("foreign.onnx"))).classifier;
    const { model, weights } = importClassifier(readFileSync(at("hardened.onnx"))).classifier;
    expect(model.io).toEqual({ input: "pixels", output: "scores" });
    expect(model.inputShape).toEqual([784]);
    expect(weights["w0"]?.data).toEqual(before.weights["w0"]?.data);
    expect(weights["w1"]?.data).not.toEqual(before.weights["w1"]?.data);
  });

  it("never writes over the file that it reads", async () => {
    const before = readFileSync(at("foreign.onnx"));
    const args = ["harden", at("foreign.onnx"), "--defense", "standard", ...quick];
    const { code, err } = await temper([...args, "--out", at("foreign.onnx")]);
    expect(code).toBe(1);
    expect(err).toBe(
      `temper: ${at("foreign.onnx")}: expected a file to write beside the input, got the input itself\n`,
    );
    expect(readFileSync(at("foreign.onnx"))).toEqual(before);
  });

  it("says nothing of what it does not freeze", async () => {
    const args = ["harden", at("foreign.onnx"), "--defense", "standard", ...quick, "--out", at("all.onnx")];
    const { code, err } = await temper(args);
    expect(code).toBe(0);
    expect(err).toMatch(/^trains w0, b0, w1, b1\nstandard: epoch 1/);
  });

  it("refuses images that are no inputs of the model", async () => {
    writeFileSync(at("small.onnx"), exportClassifier(mlpClassifier([3, 8, 8], [10])));
    const args = ["harden", at("small.onnx"), "--defense", "standard", ...quick, "--out", at("none.onnx")];
    const { code, err } = await temper(args);
    expect(code).toBe(1);
    expect(err.trimEnd().split("\n").at(-1)).toBe(
      "temper: small: expected inputs [batch, 1, 28, 28] for mnist, got [batch, 3, 8, 8]",
    );
    expect(existsSync(at("none.onnx"))).toBe(false);
  });
});

describe("a file that leaves the size of its inputs open", () => {
  it("takes the images', and leaves it open in the file that is written", async () => {
    writeFileSync(
      at("open.onnx"),
      foreignFile({
        x: ["N", 1, "H", "W"],
        nodes: [
          { op: "Conv", in: ["x", "filters"], out: ["maps"] },
          { op: "GlobalAveragePool", in: ["maps"], out: ["means"] },
          { op: "Flatten", in: ["means"], out: ["flat"] },
          { op: "MatMul", in: ["flat", "w"] },
        ],
        tensors: { filters: drawn([4, 1, 3, 3], "filters"), w: drawn([4, 10], "w") },
      }),
    );
    const args = ["harden", at("open.onnx"), "--defense", "standard", ...quick, "--out", at("sized.onnx")];
    expect(await temper(args)).toMatchObject({ code: 0 });
    const [before, after] = ["open.onnx", "sized.onnx"].map((name) => readOnnx(readFileSync(at(name))));
    expect(after?.inputs).toEqual(before?.inputs);
    expect(after?.tensors.get("filters")?.data).not.toEqual(before?.tensors.get("filters")?.data);
  });
});

describe("temper export", () => {
  it("writes a whole attack that runs without Temper", async () => {
    const args = [
      "export",
      at("foreign.onnx"),
      "--attack",
      "fgsm",
      "--norm",
      "linf",
      "--out",
      at("attack.onnx"),
    ];
    const { code, out } = await temper(args);
    expect(code).toBe(0);
    expect(out.split("\n").slice(1)).toEqual([
      "input   input float [batch, 784]",
      "input   labels int32 [batch]",
      "input   epsilon float []",
      "output  adversarial float [batch, 784]",
      "",
    ]);
    const program = await localEngine({ threads: 1 }).load(readFileSync(at("attack.onnx")));
    const { adversarial } = await program.run({
      input: floats([2, 784], new Float32Array(2 * 784).fill(0.5)),
      labels: tensor("int32", [2], Int32Array.of(1, 2)),
      epsilon: scalar(0.25),
    });
    await program.release();
    const values = Array.from(adversarial?.data as Float32Array);
    expect([...new Set(values)].sort()).toEqual([0.25, 0.75]);
  });

  it("writes PGD as one Loop, and a recipe's training step", async () => {
    const pgd = ["export", at("foreign.onnx"), "--attack", "pgd", "--norm", "l2", "--targeted"];
    expect(await temper([...pgd, "--out", at("pgd.onnx")])).toMatchObject({ code: 0 });
    const step = ["export", "--step", "quickstart", "--method", "sgm", "--out", at("step.onnx"), "--json"];
    const { code, out } = await temper(step);
    expect(code).toBe(0);
    const { bytes, inputs } = JSON.parse(out) as { bytes: number; inputs: { name: string }[] };
    expect(inputs.map(({ name }) => name)).toContain("labels");
    expect(readFileSync(at("step.onnx")).length).toBe(bytes);
    const engine = localEngine({ threads: 1 });
    for (const name of ["pgd.onnx", "step.onnx"]) await (await engine.load(readFileSync(at(name)))).release();
  });
});
