// audit: what it says of the model, and its threads.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { AuditFile } from "../../src/experiments/records.js";
import { drawn } from "../support/against-runtime.js";
import { foreignFile } from "../support/onnx-builder.js";
import { temper, temporaryFolder } from "./cli.js";

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

const audit = (out: string, ...rest: string[]) =>
  temper([
    "audit",
    at("softmax.onnx"),
    ...["--dataset", "mnist", "--attack", "fgsm", "--epsilon", "8/255", "--limit", "20"],
    ...["--out", at(out), ...rest],
  ]);

describe("temper audit", () => {
  it("says before it begins what was made of the model", async () => {
    const { code, err } = await audit("notes");
    expect(code).toBe(0);
    expect(err).toMatch(/^Softmax 'sm' at the end is left out: its input is taken as the logits\naudit: /);
    expect(err).not.toMatch(/^(trains|leaves) /m);
  });

  it.each([
    [[], 1],
    [["--threads", "2"], 2],
  ])("with %j the engine has %i thread(s)", async (given, threads) => {
    const { out } = await audit(`threads${threads}`, "--json", ...given);
    expect((JSON.parse(out) as AuditFile).environment).toMatchObject({ threads });
  });

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
});
