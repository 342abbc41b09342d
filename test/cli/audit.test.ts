// audit: what it says of the model, and its threads.
import { writeFileSync } from "node:fs";
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
});
