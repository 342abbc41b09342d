// A tiny recipe on real MNIST: run, stopped, gone on with, audited, reported, refused.
import { Ajv2020 } from "ajv/dist/2020.js";
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { AuditFile, ResultsFile } from "../../src/experiments/records.js";
import { temper, temporaryFolder, tooWide, type Surroundings } from "./cli.js";

const folder = temporaryFolder();
const at = (...names: string[]): string => join(folder, ...names);

const recipe = `name: tiny
dataset: mnist
model: { mlp: { hidden: [24], dropout: 0.2 } }
training: { epochs: 2, batchSize: 32, limit: 512, optimizer: adam, learningRate: 0.003 }
methods: [standard, sgm: { lambda: 0.2 }]
evaluation:
  limit: 60
  attacks: [fgsm: { epsilon: [8/255, 0.1] }, pgd: { epsilon: 0.1, steps: 5 }]
`;
writeFileSync(at("tiny.yaml"), recipe);
writeFileSync(at("other.yaml"), recipe.replace("limit: 512", "limit: 480"));

const run = (out: string, extra: string[] = [], surroundings: Surroundings = {}) =>
  temper(["run", at("tiny.yaml"), "--out", at(out), "--jobs", "1", ...extra], surroundings);

/** Asks to stop as soon as stderr says `text`. */
const stopAt = (text: string): Surroundings => {
  let heard = "";
  return {
    onErr(piece, signals) {
      heard += piece;
      if (heard.includes(text) && signals.listenerCount("SIGINT") > 0 && !heard.includes("stopping"))
        signals.emit("SIGINT");
    },
  };
};

const json = (...names: string[]): unknown => JSON.parse(readFileSync(at(...names), "utf8"));

/** What must not depend on how often a run was stopped: results and models. */
const outcome = (name: string) =>
  ["results.json", ...readdirSync(at(name, "models")).map((file) => join("models", file))].map(
    (file) => [file, readFileSync(at(name, file)).toString("base64")] as const,
  );

/** What is wrong with `value` by the repository's schema of that name. */
function faults(name: string, value: unknown): unknown {
  const schema = JSON.parse(readFileSync(`schemas/${name}.schema.json`, "utf8")) as object;
  const validate = new Ajv2020({ allErrors: true }).compile(schema);
  return validate(value) ? null : validate.errors;
}

describe("temper run", () => {
  let whole: Awaited<ReturnType<typeof run>>;

  beforeAll(async () => {
    whole = await run("whole");
  });

  it("trains, evaluates and reports", () => {
    expect(whole.code).toBe(0);
    for (const file of [
      "run.json",
      "results.json",
      "metrics.jsonl",
      "report.html",
      "report.md",
      "recipe.yaml",
    ])
      expect(existsSync(at("whole", file)), file).toBe(true);
    expect(readdirSync(at("whole", "models"))).toEqual(["sgm-seed0.onnx", "standard-seed0.onnx"]);
  });

  it("says one line for each epoch and attack, and the table at 80 columns", () => {
    expect(whole.err).toContain("standard-seed0: epoch 1/2, loss ");
    expect(whole.err).toContain("standard-seed0: evaluating: pgd linf 0.1\n");
    expect(whole.err).toContain("standard-seed0: evaluating: fgsm linf 8/255\n");
    expect(whole.err).toMatch(/: done, .* right on clean images \(1 of 2 done\)\n/);
    expect(whole.err).toMatch(/: done, .* right on clean images \(2 of 2 done\)\n$/);
    expect(whole.err.trimEnd().split("\n").length).toBeLessThan(20);
    expect(whole.out).toContain("8/255");
    expect(whole.out).toContain("report.html");
    expect(tooWide(whole.out)).toEqual([]);
  });

  it("writes what its schemas say", () => {
    for (const name of ["results", "run"] as const)
      expect(faults(name, json("whole", `${name}.json`)), name).toBeNull();
    for (const line of readFileSync(at("whole", "metrics.jsonl"), "utf8").trimEnd().split("\n"))
      expect(faults("metrics", JSON.parse(line))).toBeNull();
  });

  it("run again says that all is done, and changes nothing", async () => {
    const before = outcome("whole");
    const { code, out, err } = await run("whole");
    expect(code).toBe(0);
    expect(err).toContain("All of tiny is done already; --fresh starts over.");
    expect(out).toBe(whole.out);
    expect(outcome("whole")).toEqual(before);
  });

  it("stopped twice and run again, it ends with the same bytes", async () => {
    for (const moment of ["sgm-seed0: epoch 1/2", "standard-seed0: epoch 1/2"]) {
      const { code, err } = await run("broken", [], stopAt(moment));
      expect(code).toBe(130);
      expect(err).toContain(
        `temper: stopped, everything is saved in ${at("broken")}; the same command goes on from there\n`,
      );
      expect(json("broken", "run.json")).toMatchObject({ finished: null });
    }
    expect((await run("broken")).code).toBe(0);
    expect(outcome("broken")).toEqual(outcome("whole"));
  });

  it("an audit reproduces the run's figures", async () => {
    const attacks = [
      "--attack",
      "fgsm,pgd",
      "--epsilon",
      "0.1,8/255",
      "--set",
      "pgd.steps=5",
      "--limit",
      "60",
    ];
    const model = at("whole", "models", "standard-seed0.onnx");
    const { code, out } = await temper([
      "audit",
      model,
      "--dataset",
      "mnist",
      ...attacks,
      "--out",
      at("audit"),
      "--json",
    ]);
    expect(code).toBe(0);
    const audit = json("audit", "audit.json") as AuditFile;
    expect(JSON.parse(out)).toEqual(audit);
    expect(faults("audit", audit)).toBeNull();
    const row = (json("whole", "results.json") as ResultsFile).rows.find(
      ({ method }) => method === "standard",
    );
    expect(audit.clean).toBe(row?.clean);
    for (const record of row?.robust ?? []) expect(audit.robust).toContainEqual(record);
    expect(existsSync(at("audit", "report.html"))).toBe(true);
  });

  it("report makes the report of a run and of an audit anew", async () => {
    for (const [name, word] of [
      ["whole", "sgm"],
      ["audit", "standard-seed0.onnx"],
    ] as const) {
      const before = readFileSync(at(name, "report.html"), "utf8");
      writeFileSync(at(name, "report.html"), "");
      const { code, out } = await temper(["report", at(name)]);
      expect(code).toBe(0);
      expect(out).toContain(word);
      expect(readFileSync(at(name, "report.html"), "utf8")).toBe(before);
    }
  });

  it("an audit does not overwrite a run", async () => {
    const model = at("whole", "models", "standard-seed0.onnx");
    const { code, err } = await temper([
      "audit",
      model,
      "--dataset",
      "mnist",
      "--epsilon",
      "0",
      "--out",
      at("whole"),
    ]);
    expect(code).toBe(1);
    expect(err).toContain(
      `temper: ${at("whole")}: expected an empty folder or one of Temper's audits, got a folder with`,
    );
  });
});

describe("a run's folder that does not fit", () => {
  beforeAll(async () => {
    await run("half", [], stopAt("sgm-seed0: epoch 1/2"));
  });

  it("holds another training under a trial's name", async () => {
    const { code, err } = await temper(["run", at("other.yaml"), "--out", at("whole")]);
    expect(code).toBe(1);
    expect(err).toBe(
      `temper: ${at("whole")}: expected trainings of this recipe, got another one of standard-seed0 (use --fresh to start over, or --out for another folder)\n`,
    );
  });

  it("holds another training's checkpoint", async () => {
    const { code, err } = await temper(["run", at("other.yaml"), "--out", at("half"), "--only", "sgm-seed0"]);
    expect(code).toBe(1);
    expect(err).toContain(
      "state.safetensors: expected a checkpoint of this training, got one with another model, images or settings",
    );
  });

  it("holds a checkpoint that was cut short", async () => {
    cpSync(at("half"), at("cut"), { recursive: true });
    const state = at("cut", "trials", "sgm-seed0", "checkpoint", "state.safetensors");
    truncateSync(state, statSync(state).size - 100);
    const { code, err } = await run("cut");
    expect(code).toBe(1);
    expect(err.trimEnd().split("\n").at(-1)).toMatch(
      /^temper: .*state\.safetensors: expected \d+ bytes, got \d+ \(the file is cut short\); remove the folder .*checkpoint to begin this training again$/,
    );
    expect((await run("cut", ["--fresh"])).code).toBe(0);
    expect(outcome("cut")).toEqual(outcome("whole"));
  });
});
