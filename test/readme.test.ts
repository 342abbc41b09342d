// README's library example and the files under examples/ run as they stand, against the built package.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const [, example = "", text = ""] = /^```js file=(\S+)\n([\s\S]*?)^```$/m.exec(readme) ?? [];
const folder = mkdtempSync(join(tmpdir(), "temper-example-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function run(file: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, file), ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
  return stdout;
}

describe("README", () => {
  it("shows the library in fifteen lines, as examples/ has them", () => {
    expect(text.trim().split("\n").length).toBeLessThanOrEqual(15);
    expect(readFileSync(join(root, example), "utf8")).toBe(text);
  });

  it("has links that lead somewhere", () => {
    for (const [, target = ""] of readme.matchAll(/\]\(([^)#:]+)\)/g))
      expect(statSync(join(root, target)).size).toBeGreaterThan(0);
  });

  it("has an example that trains, audits and exports, and a file that plain ONNX Runtime runs", () => {
    const printed = run(example);
    const [, error = "", clean = "", robust = ""] =
      /^error (\S+), clean (\S+), under PGD (\S+)$/m.exec(printed) ?? [];
    expect(Number(error)).toBeGreaterThan(0);
    expect(Number(clean)).toBeGreaterThan(0.85);
    expect(Number(robust)).toBeGreaterThan(0.7);
    expect(run("examples/plain-onnxruntime.mjs", "hardened.onnx", "attack.onnx")).toMatch(
      /^classes before [\d,]+, after [\d,]+; largest change of a pixel 0\.\d+$/m,
    );
  });
});
