// `temper status`: trials by case at 80 columns, as JSON, and in one line what is no run.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { statusText } from "../../src/cli/status-text.js";
import { parseRecipe } from "../../src/experiments/recipe-file.js";
import type { RunStatus, TrialStatus } from "../../src/experiments/status.js";
import { identityOf } from "../../src/experiments/summary.js";
import { fakeRun } from "../report/fake-run.js";
import { temper, temporaryFolder, tooWide } from "./cli.js";

const trial = (given: Partial<TrialStatus>): TrialStatus => ({
  ...{ trial: "", case: "relu-400", method: "standard", seed: 0, stage: "waiting", process: null },
  ...{ epochs: { done: 0, of: 150 }, strikes: [], clean: null, left: { training: null, evaluation: null } },
  ...given,
});

const strikes = [
  { strike: "0 linf fgsm 0.1", images: 10000 },
  { strike: "1 linf pgd 0.03137254901960784", images: 2100 },
];

const run: RunStatus = {
  name: "paper",
  folder: "runs/paper",
  process: 4711,
  searches: [],
  trials: [
    trial({ stage: "done", clean: 0.9917, left: { training: 0, evaluation: 0 } }),
    trial({ seed: 1, stage: "evaluating", process: 12, strikes, left: { training: 0, evaluation: 90 } }),
    trial({ seed: 2, stage: "evaluating", left: { training: 0, evaluation: 100 } }),
    trial({ seed: 3, stage: "training", process: 13, epochs: { done: 128, of: 150 } }),
    trial({ method: "adversarial-backprop-with-a-name-too-long-for-a-line" }),
    trial({ case: "tanh", stage: "training", epochs: { done: 150, of: 150 } }),
    trial({ case: "tanh", seed: 1, left: { training: 3700, evaluation: null } }),
  ],
  left: { seconds: 7200, jobs: 2, unknown: { trainings: 1, evaluations: 3 } },
};

describe("a run's status as text", () => {
  it("has a line for each trial under its case, and the time left", () => {
    const text = statusText(run, 80);
    expect(tooWide(text)).toEqual([]);
    expect(text.split("\n")).toEqual([
      "paper: 1 of 7 trials done, 2 running; process 4711 is at work on it (runs/paper)",
      "",
      "relu-400",
      "  standard-seed0                    done     99.17 % right on clean images",
      "  standard-seed1                    running  evaluating: pgd linf 8/255, 2,100",
      "                                             images (1 attack before it), 1:30",
      "                                             left",
      "  standard-seed2                    waiting  trained, evaluation not begun, 1:40",
      "                                             left",
      "  standard-seed3                    running  epoch 129/150",
      "  adversarial-backprop-with-a-nam…  waiting",
      "tanh",
      "  standard-seed0                    waiting  epoch 150/150",
      "  standard-seed1                    waiting  at least 1:01:40 left",
      "",
      "time left  at least 2:00:00 h, 2 trials side by side; unknown: 1 training and 3",
      "           evaluations, of methods that were not measured yet",
    ]);
  });

  it("says who is not at work, what is stopped, and what is not known", () => {
    const left = { seconds: null, jobs: 1, unknown: { trainings: 1, evaluations: 1 } };
    const begun = trial({ case: null, stage: "training", epochs: { done: 2, of: 150 } });
    const text = statusText({ ...run, process: null, trials: [begun], left }, 80);
    expect(text).toContain("paper: 0 of 1 trial done, 0 running; nobody is at work on it (runs/paper)");
    expect(text).toContain("\n\n  standard-seed0  stopped  epoch 3/150\n");
    expect(text).toContain("time left  unknown: nothing like what is left has been measured yet");
    const known = { seconds: 60, jobs: 1, unknown: { trainings: 0, evaluations: 0 } };
    expect(statusText({ ...run, left: known }, 80)).toContain(
      "time left  about 1:00 min, one trial at a time",
    );
    const [done] = run.trials;
    expect(statusText({ ...run, trials: done ? [done] : [], left: known }, 80)).not.toContain("time left");
  });
});

describe("temper status", () => {
  const folder = temporaryFolder();
  const at = (...names: string[]): string => join(folder, ...names);
  const recipe = `name: tiny
dataset: mnist
model: { mlp: { hidden: [8] } }
methods: [standard]
`;
  writeFileSync(at("tiny.yaml"), recipe);
  writeFileSync(at("other.yaml"), recipe.replace("tiny", "other").replace("[8]", "[9]"));
  writeFileSync(
    at("sought.yaml"),
    `${recipe.replace("standard", "adversarial-backprop")}training: { epochs: 3, validation: { last: 100 } }
search: { methods: { adversarial-backprop: { epsilon: [0.1, 0.2, 0.3] } }, rungs: [1, 3] }
`,
  );
  mkdirSync(at("run"));
  const identity = identityOf(parseRecipe(recipe, "tiny.yaml"));
  writeFileSync(at("run", "run.json"), JSON.stringify({ ...fakeRun().run, identity }));
  writeFileSync(at("run", "recipe.yaml"), recipe);

  it("takes a recipe with --out or the folder itself, and prints text or JSON", async () => {
    const named = await temper(["status", at("tiny.yaml"), "--out", at("run")]);
    expect(named).toMatchObject({ code: 0, err: "" });
    expect(named.out).toContain("  standard-seed0  waiting\n");
    expect(await temper(["status", at("run")])).toEqual(named);
    const { code, out } = await temper(["status", at("run"), "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      name: "tiny",
      folder: at("run"),
      trials: [{ trial: "standard-seed0", case: null, stage: "waiting", clean: null }],
      left: { seconds: null, unknown: { trainings: 1, evaluations: 1 } },
    });
  });

  it("shows all trials of a recipe as waiting before its first run, with its search, and writes nothing", async () => {
    const { code, out, err } = await temper(["status", at("tiny.yaml"), "--out", at("none")]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain(`tiny: 0 of 1 trial done, 0 running; nobody is at work on it`);
    expect(out).toContain("  standard-seed0  waiting\n");
    expect(out).toContain("time left  unknown: nothing like what is left has been measured yet");
    const sought = await temper(["status", at("sought.yaml"), "--out", at("none")]);
    expect(sought).toMatchObject({ code: 0, err: "" });
    expect(sought.out).toMatch(
      /search of adversarial-backprop: rung 1 of 2 \(1 epoch\), 3\s+trainings to go/,
    );
    expect(sought.out).toMatch(/0 of 1 trial done/);
    expect(existsSync(at("none"))).toBe(false);
  });

  it.each([
    [["DIR/nowhere"], "DIR/nowhere: expected a recipe or the folder of a run, got no such file"],
    [["DIR"], "DIR: expected the folder of a run, got none that has begun (no run.json)"],
    [["DIR/nowhere.yaml"], "DIR/nowhere.yaml: expected a recipe or the folder of a run, got no such file"],
    [["DIR/other.yaml", "--out", "DIR/run"], "DIR/run: expected a run of 'other', got one of 'quickstart'"],
    [
      ["DIR/run", "--out", "DIR/run"],
      "status --out: expected a recipe's file before it, got the folder DIR/run",
    ],
  ])("%j is refused in one line", async (args, line) => {
    const placed = (text: string): string => text.replaceAll("DIR", folder);
    const { code, err } = await temper(["status", ...args.map(placed)]);
    expect({ code, err }).toEqual({ code: 1, err: `temper: ${placed(line)}\n` });
  });
});
