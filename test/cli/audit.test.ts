// audit: what it says of the model, and its threads.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { AuditFile } from "../../src/experiments/records.js";
import { widthOf } from "../../src/cli/io.js";
import { drawn } from "../support/against-runtime.js";
import { foreignFile } from "../support/onnx-builder.js";
import { temper, temporaryFolder, tooWide } from "./cli.js";

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);

writeFileSync(
  at("softmax.onnx"),
  foreignFile({
    x: ["N", 784],
    nodes: [
      { op: "MatMul", in: ["x", "w"], out: ["z"] },
      { op: "Softmax", in: ["z"], name: "sm" },
    ],
    tensors: { w: drawn([784, 10], "w") },
  }),
);

const linear = (name: string, sizes: readonly [number, number]): void =>
  writeFileSync(
    at(name),
    foreignFile({
      x: ["N", sizes[0]],
      nodes: [{ op: "MatMul", in: ["x", "w"] }],
      tensors: { w: drawn([...sizes], name) },
    }),
  );
linear("other.onnx", [784, 10]);
writeFileSync(
  at("dropout.onnx"),
  foreignFile({
    x: ["N", 784],
    nodes: [
      { op: "Dropout", in: ["x"], out: ["d"] },
      { op: "MatMul", in: ["d", "w"] },
    ],
    tensors: { w: drawn([784, 10], "w") },
  }),
);
linear("few.onnx", [784, 12]);
linear("small.onnx", [400, 10]);

const audit = (out: string, ...rest: string[]) =>
  temper([
    "audit",
    at("softmax.onnx"),
    ...["--dataset", "mnist", "--attack", "fgsm", "--epsilon", "8/255", "--limit", "20"],
    ...["--out", at(out), ...rest],
  ]);

describe("the width of text", () => {
  it("is the terminal's, else what COLUMNS says, from 40 to 80", () => {
    const stream = (columns?: number) =>
      Object.assign(new PassThrough(), columns === undefined ? {} : { columns });
    expect(widthOf(stream(60), { COLUMNS: "70" })).toBe(60);
    expect(widthOf(stream(200), {})).toBe(80);
    for (const [said, width] of [
      ["60", 60],
      ["8", 40],
      ["wide", 80],
      ["200", 80],
    ] as const)
      expect(widthOf(stream(), { COLUMNS: said })).toBe(width);
    expect(widthOf(stream(0), {})).toBe(80);
  });
});

describe("temper audit", () => {
  it("says before it begins what was made of the model", async () => {
    const { code, err } = await audit("notes");
    expect(code).toBe(0);
    expect(err).toMatch(
      /^Softmax 'sm' at the end is left out: its input is taken as the logits\nthe first 20 of 10,000 images, in the order of the dataset\naudit: /,
    );
    expect(err).not.toMatch(/^(trains|leaves) /m);
  });

  it.each([
    [[], 1],
    [["--threads", "2"], 2],
  ])("with %j the engine has %i thread(s)", async (given, threads) => {
    const { out } = await audit(`threads${threads}`, "--json", ...given);
    expect((JSON.parse(out) as AuditFile).environment).toMatchObject({ threads });
  });

  it("without --attack runs in L0 what works there", async () => {
    const args = ["audit", at("softmax.onnx"), "--dataset", "mnist", "--norm", "l0", "--limit", "10"];
    const { code, out, err } = await temper([...args, "--out", at("sparse"), "--json"]);
    expect(code).toBe(0);
    expect(err).toContain("ε 12, usual in L0 for small gray images");
    const { budget = [] } = JSON.parse(out) as AuditFile;
    expect(budget.map(({ attack, norm }) => [attack, norm])).toEqual([
      ["fgsm", "l0"],
      ["jsma", "l0"],
    ]);
  });

  it("without --epsilon takes the usual radii and says which; done already, it runs nothing anew", async () => {
    const args = [
      "audit",
      at("softmax.onnx"),
      "--dataset",
      "mnist",
      "--attack",
      "pgd,deepfool",
      "--limit",
      "20",
    ];
    const first = await temper([...args, "--out", at("usual"), "--json"]);
    expect(first.err).toContain(
      "\nε 0.1 and 0.3, usual in L∞ for small gray images; --epsilon takes others\n",
    );
    const record = JSON.parse(first.out) as AuditFile;
    expect(record.robust.map(({ attack, epsilon }) => [attack, epsilon])).toEqual([
      ["pgd", 0.1],
      ["pgd", 0.3],
    ]);
    expect(record.budget?.map(({ attack, epsilon }) => [attack, epsilon])).toEqual([
      ["pgd", 0.1],
      ["pgd", 0.3],
      ["deepfool", null],
    ]);
    expect(tooWide(first.err)).toEqual([]);
    writeFileSync(at("usual/report.md"), "");
    const again = await temper([...args, "--out", at("usual"), "--json"]);
    expect(again.err).toMatch(/\nThis audit is done already; --fresh starts over.\n$/);
    expect(again.err).not.toContain("audit:");
    expect(JSON.parse(again.out)).toEqual(record);
    expect(readFileSync(at("usual/report.md"), "utf8")).toMatch(/^# Audit of softmax.onnx/);
    const other = await temper([...args, "--out", at("usual"), "--seed", "1"]);
    expect(other.err).toContain("audit: clean");
    expect(other.err).toContain(`This audit takes the place of another one in ${at("usual")}.`);
    const kept = readFileSync(at("usual/audit.json"), "utf8");
    const wrong = await temper([...args, "--out", at("usual"), "--fresh", "--preprocess", "channels=rgb"]);
    expect(wrong.code).toBe(1);
    expect(readFileSync(at("usual/audit.json"), "utf8")).toBe(kept);
    expect((await temper([...args, "--out", at("usual"), "--seed", "1", "--fresh"])).err).toContain(
      "audit: clean",
    );
  });

  it("has its folder alone, and says so to another", async () => {
    mkdirSync(at("taken"));
    writeFileSync(at("taken/run.lock"), String(process.ppid));
    const { code, err } = await audit("taken");
    expect(code).toBe(1);
    expect(err).toContain(
      `temper: ${at("taken")}: expected a folder that nobody uses, got one in use by process ${process.ppid}\n`,
    );
    writeFileSync(at("taken/run.lock"), "4194305");
    expect((await audit("taken")).code).toBe(0);
    expect(existsSync(at("taken/run.lock"))).toBe(false);
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "stopped by %s says where it is kept; report knows",
    async (signal) => {
      const out = at(signal);
      const { code, err } = await temper(
        ["audit", at("softmax.onnx"), "--dataset", "mnist", "--limit", "20", "--out", out],
        { onErr: (text, signals) => void (text.includes("audit: pgd") && signals.emit(signal, signal)) },
      );
      expect(code).toBe(signal === "SIGINT" ? 130 : 143);
      expect(err).toContain("stopping (Ctrl-C again ends at once) …\n");
      expect(err).toMatch(
        /temper: stopped, what is done is kept in .*; the same command goes on from there\n$/,
      );
      expect((await temper(["report", out])).err).toBe(
        `temper: ${out}: expected a finished audit, got one that was stopped; temper audit as before goes on with it\n`,
      );
    },
  );

  it("under corruptions alone needs no attack; stopped by a signal, it goes on where it was", async () => {
    const only = ["audit", at("softmax.onnx"), "--dataset", "mnist", "--limit", "30", "--json"];
    const args = [...only, "--corruptions", "random-flip,fog", "--severities", "1,5", "--out"];
    const { code, out, err } = await temper([...args, at("corrupted")]);
    expect(code).toBe(0);
    expect(err).toMatch(/^audit: fog\naudit: random-flip$/m);
    const found = JSON.parse(out) as AuditFile;
    expect(found.robust).toEqual([]);
    expect(found.corruptions?.map(({ name, severity, n }) => [name, severity, n])).toEqual([
      ["fog", 1, 30],
      ["fog", 5, 30],
      ["random-flip", 1, 30],
      ["random-flip", 5, 30],
    ]);
    expect(found.corruptionMeans?.map(({ over }) => over)).toEqual([
      "fog",
      "random-flip",
      "common",
      "disturbances",
    ]);
    expect(found.corruptionParameters).toBe("cifar-10-c");
    expect(found.notTried.join()).not.toContain("--corruptions");
    const stopped = await temper([...args, at("stopped")], {
      onErr: (text, signals) => void (text.includes("audit: fog") && signals.emit("SIGINT", "SIGINT")),
    });
    expect(stopped.code).toBe(130);
    expect(readFileSync(at("stopped/audit.journal.jsonl"), "utf8")).toContain("corruption fog 1,5");
    expect(JSON.parse((await temper([...args, at("stopped")])).out)).toEqual(found);
  });

  it("says in which mode the model was judged; --mode train lets dropout draw", async () => {
    const rand = ["--epsilon", "8/255", "--attack", "autoattack", "--set", "autoattack.version=rand"];
    const from = ["audit", at("dropout.onnx"), "--dataset", "mnist", "--limit", "12", ...rand];
    const training = ["--mode", "train", "--out", at("mode"), "--json"];
    const { code, err, out } = await temper([...from, ...training]);
    expect(code).toBe(0);
    expect(err).toContain("draws random numbers for each image: d\nmode train: dropout draws its masks\n");
    const found = JSON.parse(out) as AuditFile;
    expect(found.mode).toBe("train");
    const [first, second] = found.robust.map(({ attack }) => attack);
    expect([first, second]).toEqual(["apgd-ce", "apgd-dlr"]);
    expect(found.flags.map(({ name }) => name)).toContain("random-model");
    const page = readFileSync(at("mode/report.md"), "utf8");
    expect(page).toContain("train: dropout draws its masks; batch normalisation on its running statistics");
    const plain = await audit("plain", "--json");
    expect((JSON.parse(plain.out) as AuditFile).mode).toBe("eval");
    const refused = await audit("none", "--mode", "train");
    expect(refused.code).not.toBe(0);
    expect(refused.err).toContain("softmax.onnx: mode train: expected a file with Dropout nodes, got none");
  });

  it("tries points crafted on other models, and says where they come from", async () => {
    const others = ["other.onnx", "softmax.onnx"].flatMap((name) => ["--transfer-from", at(name)]);
    const more = ["--attack", "autoattack,deepfool", "--set", "autoattack.version=fast", ...others];
    const { code, out, err } = await audit("transfer", ...more, "--json");
    expect(code).toBe(0);
    expect(err).toContain("not crafted on other models, as they follow no gradient within ε: deepfool");
    const found = JSON.parse(out) as AuditFile;
    const crafted = ["fgsm", "apgd-ce", "apgd-t"];
    const own = found.robust.filter(({ attack }) => attack.includes("transfer"));
    expect(own.map(({ attack }) => attack)).toEqual([
      ...crafted.map((name) => `${name} transfer from other.onnx`),
      ...crafted.map((name) => `${name} transfer from softmax.onnx`),
    ]);
    expect(own[1]?.options).toMatchObject({ from: "other.onnx", attack: "apgd-ce", rest: false });
    const accuracy = (name: string) => found.robust.find(({ attack }) => attack === name)?.accuracy;
    expect(accuracy("fgsm transfer from softmax.onnx")).toBe(accuracy("fgsm"));
    expect(found.transferFrom?.map(({ file }) => file)).toEqual([at("other.onnx"), at("softmax.onnx")]);
    expect(found.notTried.join()).not.toContain("--transfer-from");
    expect(readFileSync(at("transfer/report.md"), "utf8")).toContain("transfer from other");
  });

  it.each([
    ["few.onnx", [], "transfer from few.onnx: expected 10 classes, got 12"],
    ["small.onnx", [], "small.onnx: expected inputs [batch, 1, 28, 28] for mnist, got [batch, 400]"],
    ["gone.onnx", [], "gone.onnx: expected an ONNX file, got no such file"],
  ])("--transfer-from %s is refused before anything is attacked", async (name, rest, message) => {
    const { code, err } = await audit("refused", "--transfer-from", at(name), ...rest);
    expect(code).not.toBe(0);
    expect(err).toContain(message);
    expect(err).not.toContain("audit: clean");
  });

  it("refuses --transfer-from where no attack can be crafted on another model", async () => {
    const { code, err } = await temper([
      ...["audit", at("softmax.onnx"), "--dataset", "mnist", "--attack", "square", "--epsilon", "0.1"],
      ...["--transfer-from", at("other.onnx"), "--out", at("refused")],
    ]);
    expect(code).not.toBe(0);
    expect(err).toContain(
      "audit --transfer-from: expected an attack that follows gradients within a fixed ε (",
    );
    expect(err).toContain("apgd-ce, ");
    expect(err).toContain("got square");
  });
});
