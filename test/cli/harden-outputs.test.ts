// What `temper harden` writes has the inputs and outputs of the file that it read, as plain ONNX Runtime sees them.
import { encode } from "fast-png";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import type { AuditFile } from "../../src/experiments/records.js";
import { exportClassifier } from "../../src/nn/classifier.js";
import { importClassifier } from "../../src/nn/imported.js";
import { drawn, expectNear } from "../support/against-runtime.js";
import { softmaxOf } from "../support/classifiers.js";
import { foreignFile } from "../support/onnx-builder.js";
import { temper, temporaryFolder } from "./cli.js";

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);

const layer = (shape: readonly number[], classes: number, end: string) => ({
  x: ["N", ...shape],
  outputs: ["p"],
  nodes: [
    { op: "Flatten", in: ["x"], out: ["flat"] },
    { op: "Gemm", in: ["flat", "w", "b"], out: ["z"] },
    { op: end, in: ["z"], out: ["p"] },
  ],
  tensors: { w: drawn([shape.reduce((a, b) => a * b), classes], "w"), b: drawn([classes], "b") },
});

// Dark images and bright ones of 4×4 pixels, which overlap.
const shades = Array.from({ length: 24 }, (_, i) => ({
  label: i % 2,
  data: Uint8Array.from({ length: 16 }, (_, j) => ((i * 37 + j * 53) % 200) + 55 * (i % 2)),
}));
for (const [i, { label, data }] of shades.entries()) {
  mkdirSync(at(`shades/${label}`), { recursive: true });
  const file = at(`shades/${label}/${String(i).padStart(2, "0")}.png`);
  writeFileSync(file, encode({ width: 4, height: 4, channels: 1, data }));
}

writeFileSync(at("softmax.onnx"), foreignFile(layer([784], 10, "Softmax")));
writeFileSync(at("sigmoid.onnx"), foreignFile(layer([1, 4, 4], 1, "Sigmoid")));
copyFileSync(join(import.meta.dirname, "../../examples/foreign-mnist.onnx"), at("sklearn.onnx"));

interface Ran {
  readonly names: readonly string[];
  readonly inputs: unknown;
  readonly outputs: unknown;
  readonly results: Readonly<Record<string, { readonly dims: readonly number[]; readonly data: number[] }>>;
}

/** The file on `rows` of numbers, in ONNX Runtime and nothing else. */
async function run(file: string, data: Float32Array, rows: number): Promise<Ran> {
  const session = await ort.InferenceSession.create(readFileSync(at(file)));
  const [name = ""] = session.inputNames;
  const [first] = session.inputMetadata;
  const shape = first?.isTensor === true ? first.shape.slice(1).map(Number) : [];
  const results = await session.run({ [name]: new ort.Tensor("float32", data, [rows, ...shape]) });
  const { outputNames: names, inputMetadata: inputs, outputMetadata: outputs } = session;
  const plain = names.map((key) => {
    const { dims = [], data: found = [] } = results[key] ?? {};
    return [key, { dims, data: Array.from(found as Float32Array, Number) }] as const;
  });
  await session.release();
  return { names, inputs, outputs, results: Object.fromEntries(plain) };
}

async function hardened(name: string, out: string, ...rest: readonly string[]): Promise<string> {
  const dataset = name === "sigmoid" ? at("shades") : "mnist";
  const args = [
    "harden",
    at(`${name}.onnx`),
    "--dataset",
    dataset,
    "--epochs",
    "1",
    "--limit",
    "64",
    ...rest,
  ];
  const ended = await temper([...args, "--defense", "adversarial-backprop", "--out", at(out)]);
  expect(ended.code, ended.err).toBe(0);
  return out;
}

const points = (size: number): Float32Array =>
  Float32Array.from({ length: 12 * size }, (_, i) => ((i * 31) % 97) / 96);

const sizes = { softmax: 784, sigmoid: 16, sklearn: 784 } as const;
const cases = Object.entries(sizes).map(([name, size]) => [name, points(size)] as const);

describe("the file that harden writes", () => {
  it.each(cases)("%s: without a step it gives what the original gives, to the bit", async (name, data) => {
    const before = await run(`${name}.onnx`, data, 12);
    const out = await hardened(name, `${name}-still.onnx`, "--learning-rate", "0");
    expect(await run(out, data, 12)).toEqual(before);
  });

  it.each(cases)("%s: trained, its outputs are the same ones, of other weights", async (name, data) => {
    const before = await run(`${name}.onnx`, data, 12);
    const out = await hardened(name, `${name}-trained.onnx`);
    const after = await run(out, data, 12);
    expect([after.names, after.inputs, after.outputs]).toEqual([before.names, before.inputs, before.outputs]);
    const key = before.names.at(-1) ?? "";
    const [was, is] = [before.results[key], after.results[key]];
    expect(is?.dims).toEqual(was?.dims);
    expect(is?.data).not.toEqual(was?.data);
    // The probabilities are those of the network that was trained.
    writeFileSync(at("logits.onnx"), exportClassifier(importClassifier(readFileSync(at(out))).classifier));
    const { results } = await run("logits.onnx", data, 12);
    const [logits] = Object.values(results);
    if (logits === undefined) throw new Error("no logits");
    const columns = logits.dims[1] ?? 1;
    const rows = Array.from({ length: 12 }, (_, i) =>
      softmaxOf(logits.data.slice(i * columns, (i + 1) * columns)),
    );
    expectNear(is?.data ?? [], name === "sigmoid" ? rows.map(([, p = NaN]) => p) : rows.flat());
    const classes = rows.map((row) => row.indexOf(Math.max(...row)));
    if (name === "sklearn") expect(after.results["label"]?.data).toEqual(classes);
  });

  it("is audited with the accuracy that plain ONNX Runtime finds", async () => {
    const out = await hardened("sigmoid", "audited.onnx", "--epochs", "20", "--learning-rate", "0.5");
    const data = Float32Array.from(shades.flatMap((image) => [...image.data].map((pixel) => pixel / 255)));
    const { results } = await run(out, data, shades.length);
    const right = shades.filter(
      ({ label }, i) => Number((results["p"]?.data[i] ?? NaN) > 0.5) === label,
    ).length;
    expect(right).toBeGreaterThan(shades.length / 2);
    const audit = ["audit", at(out), "--dataset", at("shades"), "--attack", "fgsm", "--epsilon", "0.01"];
    expect(await temper([...audit, "--out", at("audit")])).toMatchObject({ code: 0 });
    const { clean } = JSON.parse(readFileSync(at("audit/audit.json"), "utf8")) as AuditFile;
    expect(clean).toBeCloseTo(right / shades.length, 10);
  });
});
