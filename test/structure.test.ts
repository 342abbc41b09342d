// The shape of the source tree: the order of folders, who imports ONNX Runtime, and the sizes of files.
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

/** Folders of src/ from bottom to top; a folder imports only those before it. */
const order =
  "base graph ops autodiff onnx runtime nn optim data corruptions augmentations threat attacks evaluation defenses experiments report cli".split(
    " ",
  );

interface Source {
  /** Path below src/, with `/`. */
  readonly path: string;
  readonly text: string;
}

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

const root = fileURLToPath(new URL("../src/", import.meta.url));
const sources: readonly Source[] = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => ({ path: path.replaceAll("\\", "/"), text: readFileSync(root + path, "utf8") }));

/** `import … from "x"`, `export … from "x"`, `import "x"`, `import("x")`; `typeof import("x")` is a type. */
function importsOf(text: string): Import[] {
  const statements = /^\s*(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm;
  const calls = /(typeof\s+)?\bimport\(\s*"([^"]+)"\s*\)/g;
  return [...text.matchAll(statements), ...text.matchAll(calls)].map(([, type, specifier = ""]) => ({
    specifier,
    typeOnly: type !== undefined,
  }));
}

/** What is wrong with `found` in the file `path`, or null. */
function fault(path: string, { specifier, typeOnly }: Import): string | null {
  const folder = posix.dirname(path).split("/")[0] ?? "";
  if (/^onnxruntime/.test(specifier)) {
    if (path === "runtime/ort.ts" || (typeOnly && folder === "runtime")) return null;
    return "ONNX Runtime is imported by runtime/ort.ts only (its types within runtime/)";
  }
  if (!specifier.startsWith(".")) return null;
  const target = posix.join(posix.dirname(path), specifier);
  if (target === "index.js") return "src/index.ts is the public surface: nothing inside imports it";
  if (folder === ".") return null;
  const [own, other] = [folder, target.split("/")[0] ?? ""].map((name) => order.indexOf(name));
  if (own === -1 || other === -1) return "a folder that has no place in the order";
  return (other ?? 0) > (own ?? 0) ? `${folder}/ imports only folders before it in the order` : null;
}

const faultsIn = ({ path, text }: Source): string[] =>
  importsOf(text).flatMap((found) => {
    const reason = fault(path, found);
    return reason === null ? [] : [`src/${path} imports '${found.specifier}': ${reason}`];
  });

describe("imports", () => {
  it("follow the order of folders", () => {
    expect(sources.length).toBeGreaterThan(0);
    expect(sources.flatMap(faultsIn)).toEqual([]);
  });

  it.each([
    ["graph/op.ts", 'import {\n  sum,\n} from "../ops/reduce.js";', "imports only folders before"],
    ["graph/op.ts", 'export type { Sum } from "../ops/reduce.js";', "imports only folders before"],
    ["base/a.ts", 'import "../extra/a.js";', "no place in the order"],
    ["cli/main.ts", 'import { audit } from "../index.js";', "public surface"],
    ["nn/a.ts", 'import type { Tensor } from "onnxruntime-node";', "ONNX Runtime is imported by"],
    ["runtime/a.ts", 'const ort = await import("onnxruntime-node");', "ONNX Runtime is imported by"],
  ])("an offence in %s is seen", (path, text, reason) => {
    expect(faultsIn({ path, text })).toEqual([expect.stringContaining(reason)]);
  });

  it.each([
    ["ops/reduce.ts", 'import type { Op } from "../graph/op.js";\nimport { a } from "./a.js";'],
    ["runtime/a.ts", 'import type { Tensor } from "onnxruntime-node";'],
    ["index.ts", 'export * from "./cli/main.js";'],
  ])("nothing is wrong with %s", (path, text) => {
    expect(faultsIn({ path, text })).toEqual([]);
  });
});

describe("files", () => {
  const sizes = sources
    .filter(({ path }) => !path.includes("/generated/"))
    .map(({ path, text }) => ({ path: `src/${path}`, lines: text.trimEnd().split("\n").length }))
    .sort((a, b) => a.lines - b.lines);
  const quantile = (q: number): number => sizes[Math.floor(q * (sizes.length - 1))]?.lines ?? NaN;

  it("have at most 400 lines", () => {
    expect(sizes.filter(({ lines }) => lines > 400)).toEqual([]);
  });

  it("have a median of at most 100 lines and a 90th percentile of at most 250", () => {
    expect(quantile(0.5)).toBeLessThanOrEqual(100);
    expect(quantile(0.9)).toBeLessThanOrEqual(250);
  });
});
