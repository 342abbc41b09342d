// ONNX's own node tests: the smallest of each operator, from the package's data (scripts/conformance.mjs --fixtures).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { localEngine } from "../../src/runtime/engine.js";
import { packedTests, unpacked, verdictOf } from "../support/node-tests.js";

const { onnx, tests } = packedTests();
const page = readFileSync(join(import.meta.dirname, "..", "..", "docs", "ONNX.md"), "utf8");

const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

describe("node tests of ONNX", () => {
  it.each(tests.map((test) => [test.name, test] as const))("%s", async (_, test) => {
    const { outcome, reason } = await verdictOf(engine, unpacked(test));
    expect([outcome, reason]).toEqual(["passed", ""]);
  });

  it("a test whose expected output is another does not pass", async () => {
    const relu = tests.find(({ name }) => name === "test_relu");
    const other = tests.find(({ name }) => name === "test_tanh_example");
    if (relu === undefined || other === undefined) throw new Error("no such fixtures");
    const { outcome, reason } = await verdictOf(engine, unpacked({ ...relu, outputs: other.outputs }));
    expect(outcome).toBe("failed");
    expect(reason).toMatch(/^float64: shape \[.*\] in place of \[3\]$/);
  });

  it("the page says how many of the whole set pass: 95 % and more", () => {
    const found = /\*\*(\d+) of (\d+) pass/.exec(page);
    const [passed, asked] = [Number(found?.[1]), Number(found?.[2])];
    expect(passed).toBeGreaterThanOrEqual(0.95 * asked);
    expect(asked).toBeGreaterThan(1000);
    expect(page).toContain(`node tests of onnx ${onnx},`);
  });
});
