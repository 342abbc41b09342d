// Each flag fires on a case built for it, with cause and remedy, and is silent on a sound evaluation.
import { afterAll, describe, expect, it } from "vitest";
import type { Attack } from "../../src/attacks/attack.js";
import { fgsm, pgd } from "../../src/attacks/index.js";
import { evaluate } from "../../src/evaluation/evaluate.js";
import { flagsOf, type Evidence, type TrialEvidence } from "../../src/evaluation/flags/index.js";
import type { RobustRecord } from "../../src/evaluation/records.js";
import type { Classifier } from "../../src/nn/model.js";
import { floor } from "../../src/ops/piecewise.js";
import { add, mul } from "../../src/ops/arithmetic.js";
import { localEngine, type Engine, type Program } from "../../src/runtime/engine.js";
import { linearClassifier, uniformPoints } from "../support/toy-models.js";

const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

const record = (attack: string, epsilon: number, accuracy: number): RobustRecord => ({
  attack,
  norm: "linf",
  epsilon,
  accuracy,
  n: 1000,
  labels: "true",
});

const trial = (
  attack: string,
  epsilon: number,
  accuracy: number,
  more: Partial<TrialEvidence> = {},
): TrialEvidence => ({
  record: record(attack, epsilon, accuracy),
  kind: attack === "fgsm" ? "single-step" : "iterative",
  outside: 0,
  nonFinite: 0,
  recovered: 0,
  rounding: { checked: 50, lost: 2 },
  ...more,
});

/** An attack under options of its own. */
const withOptions = (attack: string, options: NonNullable<RobustRecord["options"]>): TrialEvidence => {
  const { record: plain, ...rest } = trial(attack, 0.1, 0.6);
  return { ...rest, record: { ...plain, options } };
};

/** An attack whose gradients are means over so many draws. */
function averaging(attack: string, eot: number, more: Partial<RobustRecord> = {}): TrialEvidence {
  const { record: plain, ...rest } = trial(attack, 0.1, 0.5);
  return { ...rest, record: { ...plain, options: { eot }, ...more } };
}

/** Points that an attack made on the model `a`. */
const crafted = (attack: string, epsilon: number, accuracy: number): TrialEvidence =>
  trial(`${attack} transfer from a`, epsilon, accuracy, { kind: "transfer" });

/** A stage of AutoAttack. */
const stage = (
  attack: string,
  kind: TrialEvidence["kind"],
  accuracy: number,
  fallen: number,
): TrialEvidence => {
  const { record: plain, ...rest } = trial(attack, 0.1, accuracy, { kind, fallen });
  return { ...rest, record: { ...plain, suite: "autoattack" } };
};

const sound: Evidence = {
  n: 1000,
  classes: 10,
  draws: [],
  clean: 0.98,
  answer: null,
  inputs: 784,
  bounds: [0, 1],
  probabilities: false,
  random: false,
  nonFinite: 0,
  gradients: { zero: 0, tiny: 0, nonFinite: 0, checked: 128 },
  trials: [trial("fgsm", 0.1, 0.93), trial("fgsm", 0.2, 0.6), trial("pgd", 0.1, 0.9, { recovered: 3 })],
};

describe("flagsOf", () => {
  it("is silent on a sound evaluation, and on a weak model", () => {
    const quiet = [
      trial("pgd", 0.1, 0.9, { carriedOn: { checked: 80, fallen: 1 } }),
      trial("pgd", 0.15, 0.8, { carriedOn: { checked: 80, fallen: 4 } }),
      trial("apgd-ce", 0.15, 0.75),
      trial("square", 0.1, 0.895, { kind: "black-box" }),
      stage("square", "black-box", 0.88, 10),
    ];
    expect(flagsOf({ ...sound, trials: quiet })).toEqual([]);
    expect(flagsOf(sound)).toEqual([]);
    expect(flagsOf({ ...sound, trials: [trial("fgsm", 0.1, 0.3), trial("pgd", 0.1, 0.02)] })).toEqual([]);
  });

  it("leads with the doubt that single steps alone leave, whatever they found", () => {
    const names = (...trials: TrialEvidence[]): string[] =>
      flagsOf({ ...sound, trials }).map(({ name }) => name);
    expect(names(trial("fgsm", 0.1, 0.02))).toEqual(["single-step-alone"]);
    expect(names(trial("fgsm", 0.1, 0.9), trial("pgd", 0, 0.98))).toEqual(["single-step-alone"]);
    expect(names(trial("fgsm", 0.1, 0.9), trial("fgsm", 0.2, 0.95))).toEqual([
      "single-step-alone",
      "rises-with-epsilon",
    ]);
    expect(names(trial("fgsm", 0, 0.98))).toEqual([]);
    expect(names(trial("pgd", 0.1, 0.9))).toEqual([]);
    expect(names()).toEqual([]);
  });

  const cases: [string, Partial<Evidence>, RegExp][] = [
    ["probabilities", { probabilities: true }, /^The outputs sum to 1/],
    ["non-finite", { nonFinite: 3 }, /outputs of 3 of 1000 clean images, 0 adversarial ones; gradients of 0/],
    ["non-finite", { gradients: { zero: 0, tiny: 0, nonFinite: 7, checked: 128 } }, /gradients of 7/],
    [
      "zero-gradients",
      { gradients: { zero: 64, tiny: 0, nonFinite: 0, checked: 128 } },
      /at 50.0 % of 128 images/,
    ],
    ["at-chance", { clean: 0.11, trials: [] }, /^11.0 % of the clean images .* among 10 classes/],
    [
      "at-chance",
      { clean: 0.1135, answer: 1, n: 10000, trials: [] },
      /^All 10000 clean images are given class 1, although their labels differ: the 11\.3 % that are classified rightly/,
    ],
    [
      "ball-holds-all",
      { trials: [trial("pgd", 8, 0)] },
      /^ε 8 is half the range of the inputs, \[0, 1\], or more/,
    ],
    [
      "ball-holds-all",
      { trials: [trial("pgd", 784, 0, { record: { ...record("pgd", 784, 0), norm: "l0" } })] },
      /^ε 784 is so large in l0 that its ball holds plain grey/,
    ],
    [
      "weak-iterative",
      { trials: [trial("fgsm", 0.1, 0.5), trial("pgd", 0.1, 0.9)] },
      /^A single step, fgsm \(linf, ε 0.1\), leaves 50.0 %, .*, pgd \(linf, ε 0.1\), 90.0 %/,
    ],
    ["random-outputs", { random: true }, /^The same images gave other outputs the second time/],
    [
      "tiny-gradients",
      { gradients: { zero: 0, tiny: 2, nonFinite: 0, checked: 100 } },
      /^At 2.0 % of 100 images/,
    ],
    [
      "black-box-wins",
      { trials: [trial("pgd", 0.1, 0.9), trial("square", 0.1, 0.8, { kind: "black-box" })] },
      /^Without the model's own gradients, square \(linf, ε 0.1\) leaves 80.0 %, .* pgd \(linf, ε 0.1\), 90.0 %: the gradients mislead/,
    ],
    [
      "black-box-wins",
      {
        trials: [
          stage("apgd-t", "iterative", 0.9, 30),
          trial("pgd transfer from a.onnx", 0.1, 0.8, { kind: "transfer" }),
        ],
      },
      /pgd transfer from a.onnx \(linf, ε 0.1\) leaves 80.0 %, .* autoattack's apgd-t \(linf, ε 0.1\), 90.0 %/,
    ],
    [
      "black-box-wins",
      { trials: [stage("apgd-ce", "iterative", 0.6, 300), stage("square", "black-box", 0.58, 20)] },
      /^Without the model's own gradients, autoattack's square \(linf, ε 0.1\) brings down 20 of the images that withstood/,
    ],
    [
      "too-few-steps",
      { trials: [trial("pgd", 0.1, 0.9, { carriedOn: { checked: 80, fallen: 6 } })] },
      /^6 of 80 images that withstood pgd \(linf, ε 0.1\) fall when it goes on/,
    ],
    [
      "few-classes",
      { classes: 3, trials: [stage("apgd-ce", "iterative", 0.6, 300)] },
      /^With 3 classes autoattack is not the published one: the targeted/,
    ],
    [
      "few-classes",
      { classes: 2, trials: [stage("apgd-ce", "iterative", 0.6, 300)] },
      /^With 2 classes autoattack is not the published one/,
    ],
    [
      "attack-weakened",
      { trials: [withOptions("pgd", { steps: 7 })] },
      /^pgd \(linf, ε 0.1\) had steps 7 where its default is 40: what withstands it may fall/,
    ],
    [
      "attack-weakened",
      { trials: [withOptions("square", { queries: 10 }), withOptions("apgd-ce", { steps: 5 })] },
      /^square \(linf, ε 0.1\) had queries 10 where its default is 5000 \(apgd-ce likewise\)/,
    ],
    [
      "attack-weakened",
      { trials: [withOptions("pgd", { steps: 40, stepSize: 0 })] },
      /^pgd \(linf, ε 0.1\) had stepSize 0 and cannot move/,
    ],
    [
      "attack-weakened",
      { trials: [withOptions("pgd", { steps: 40, stepSize: 0.002 })] },
      /^pgd \(linf, ε 0.1\) takes 40 steps of 0.002, which do not reach as far as ε/,
    ],
    [
      "random-model",
      { draws: ["n", "mask"], trials: [averaging("pgd", 20)] },
      /^The model draws random numbers \(n, mask\)\. Each image is judged under one draw of its own/,
    ],
    [
      "nothing-random",
      { trials: [averaging("pgd", 20)] },
      /^pgd averaged gradients over 20 draws, but the model draws nothing: one gradient was taken\.$/,
    ],
    [
      "nothing-random",
      { trials: [averaging("apgd-ce", 20, { suite: "autoattack" })] },
      /^autoattack averaged .*, and of the published attacks FAB-T, the targeted ratio and Square were left out\.$/,
    ],
    [
      "rises-with-epsilon",
      { trials: [trial("pgd", 0.2, 0.7), trial("pgd", 0.1, 0.6)] },
      /^Accuracy rises with ε: 60.0 % under pgd \(linf, ε 0.1\), 70.0 % at ε 0.2/,
    ],
    [
      "single-step-alone",
      { trials: [trial("fgsm", 0.2, 0.95)] },
      /^Every attack took a single step \(fgsm\), so these figures say nothing/,
    ],
    [
      "single-step-alone",
      { trials: [trial("fgsm", 0.2, 0.95), crafted("pgd", 0.2, 0.9), crafted("fgsm", 0.2, 0.96)] },
      /^Every attack took a single step \(fgsm\) or was made on another model \(pgd transfer from a, fgsm transfer from a\), so/,
    ],
    [
      "transfer-alone",
      { trials: [crafted("pgd", 0.2, 0.95)] },
      /^Every attack was made on another model \(pgd transfer from a\), so these figures say nothing about robustness/,
    ],
    [
      "single-step-only",
      { trials: [trial("fgsm", 0.2, 0.95), trial("pgd", 0.2, 0.1)] },
      /^95.0 % under fgsm \(linf, ε 0.2\), but 10.0 % under pgd \(linf, ε 0.2\)/,
    ],
    [
      "label-leaking",
      { trials: [trial("fgsm", 0.2, 0.978, { recovered: 15 }), trial("pgd", 0.2, 0.9)] },
      /accuracy under fgsm \(linf, ε 0.2\) is 99.3 %, above the clean 98.0 %/,
    ],
    [
      "left-ball",
      { trials: [trial("pgd", 0.1, 0.5, { outside: 4 })] },
      /left its ball or the bounds at 4 images/,
    ],
    [
      "lost-in-8-bits",
      { trials: [trial("pgd", 0.001, 0.5, { rounding: { checked: 40, lost: 12 } })] },
      /^12 of 40 adversarial images of pgd \(linf, ε 0.001\)/,
    ],
  ];

  it.each(cases)("raises %s", (name, evidence, message) => {
    const flags = flagsOf({ ...sound, ...evidence });
    expect(flags.map((flag) => flag.name)).toEqual([name]);
    expect(flags[0]?.message).toMatch(message);
    expect(flags[0]?.remedy).toMatch(/\.$/);
  });

  it("takes no attack for weakened that has a fifth of its budget and reaches the ball's edge, nor stages", () => {
    const short = { ...stage("square", "black-box", 0.6, 0) };
    const trials = [
      withOptions("pgd", { steps: 8, stepSize: 0.0125 }),
      withOptions("apgd-ce", { steps: 20 }),
      withOptions("own", { steps: 1 }),
      { ...short, record: { ...short.record, options: { queries: 10 } } },
    ];
    expect(flagsOf({ ...sound, trials }).map(({ name }) => name)).toEqual([]);
  });

  it("takes no offence at a weakened attack beside a whole one that iterates, at the same radius", () => {
    const short = withOptions("pgd", { steps: 7 });
    const names = (other: TrialEvidence): string[] =>
      flagsOf({ ...sound, trials: [short, other] }).map(({ name }) => name);
    expect(names(withOptions("apgd-ce", { steps: 100 }))).toEqual([]);
    expect(names(withOptions("fgsm", {}))).toContain("attack-weakened");
    expect(names(trial("apgd-ce", 0.2, 0.5))).toContain("attack-weakened");
  });

  it("doubts single draws of a random model, unless an attack averages over several", () => {
    const names = (...trials: TrialEvidence[]): string[] =>
      flagsOf({ ...sound, draws: ["n"], trials }).map(({ name }) => name);
    const plain = trial("pgd", 0.1, 0.9);
    const [, doubt] = flagsOf({ ...sound, draws: ["n"], trials: [plain, averaging("bim", 1)] });
    expect(doubt?.message).toBe(
      "The model draws random numbers, and pgd, bim followed gradients of single draws, which point elsewhere than their mean: accuracy looks higher than it is.",
    );
    expect(names(plain)).toEqual(["random-model", "single-draws"]);
    expect(names(plain, averaging("pgd", 20))).toEqual(["random-model"]);
    expect(names(trial("square", 0.1, 0.9, { kind: "black-box" }))).toEqual(["random-model"]);
    const rand = averaging("apgd-ce", 20, { suite: "autoattack" });
    expect(flagsOf({ ...sound, classes: 3, draws: ["n"], trials: [rand] }).map(({ name }) => name)).toEqual([
      "random-model",
    ]);
    const [, few] = flagsOf({ ...sound, classes: 2, draws: ["n"], trials: [rand] });
    expect(few?.message).toBe(
      "With 2 classes autoattack is not the published one: the difference of logits ratio needs 3 classes, so apgd-ce alone was run.",
    );
  });

  it("takes no points made on another model for an attack of many steps on this one", () => {
    const names = (...trials: TrialEvidence[]): string[] =>
      flagsOf({ ...sound, trials }).map(({ name }) => name);
    const one = trial("fgsm", 0.1, 0.5);
    expect(names(one, crafted("fgsm", 0.1, 0.9), trial("pgd", 0.2, 0.3))).toEqual([]);
    expect(names(one, crafted("pgd", 0.1, 0.9))).toEqual(["single-step-alone"]);
    const rising = trial("pgd", 0.1, 0.9, { carriedOn: { checked: 80, fallen: 6 } });
    expect(names(rising, crafted("fgsm", 0.1, 0.8))).toEqual(["black-box-wins", "too-few-steps"]);
    expect(
      flagsOf({ ...sound, draws: ["n"], trials: [crafted("pgd", 0.1, 0.9)] }).map(({ name }) => name),
    ).toEqual(["transfer-alone", "random-model"]);
  });

  it("does not compare attacks with different options, norms or targets", () => {
    const [low, high] = [trial("pgd", 0.1, 0.5), trial("pgd", 0.2, 0.7)];
    const other = (more: Partial<RobustRecord>): TrialEvidence => ({
      ...high,
      record: { ...high.record, ...more },
    });
    for (const more of [{ norm: "l2" }, { targeted: true }, { options: { steps: 30 } }] as const)
      expect(flagsOf({ ...sound, trials: [low, other(more)] })).toEqual([]);
  });
});

describe("evaluations of built models", () => {
  const linear = linearClassifier(
    [
      [3, -2, 1, 0.5],
      [-3, 2, -1, -0.5],
    ],
    [-1, 1],
    [0, 1],
  );
  const points = uniformPoints(60, linear);
  const flagsAt = async (
    classifier: Classifier,
    epsilon: number,
    { attack = fgsm(), engines = [engine] }: { attack?: Attack; engines?: Engine[] } = {},
  ): Promise<string[]> => {
    const rows = (indices: readonly number[]): Float32Array =>
      Float32Array.from(indices.flatMap((i) => [...points.subarray(4 * i, 4 * i + 4)]));
    const trials = [{ attack, norm: "linf", epsilons: [epsilon] }] as const;
    const blank = { count: 60, labels: new Int32Array(60), rows };
    const { predictions } = await evaluate(classifier, blank, { engines: [engine], trials: [] });
    const { flags } = await evaluate(classifier, { ...blank, labels: predictions }, { engines, trials });
    return flags.map(({ name }) => name);
  };
  const changed = (change: (typeof linear.model)["apply"]): Classifier => ({
    ...linear,
    model: { ...linear.model, apply: change },
  });

  it("see steps that have no gradient", async () => {
    const steps = changed((x, pass) => mul(floor(mul(linear.model.apply(x, pass), 4)), 0.25));
    expect(await flagsAt(steps, 0.1)).toEqual(["single-step-alone", "zero-gradients"]);
  });

  it("see gradients that drown in the logits", async () => {
    const drowned = changed((x, pass) => add(linear.model.apply(x, pass), 1e9));
    expect(await flagsAt(drowned, 0.1)).toContain("tiny-gradients");
  });

  it("see outputs that change from one time to the next", async () => {
    let calls = 0;
    const noisy: Engine = {
      ...engine,
      load: async (model, options) => {
        const program = await engine.load(model, options);
        const run: Program["run"] = async (feeds) => {
          const { logits, ...others } = await program.run(feeds);
          if (logits?.data instanceof Float32Array) logits.data[0] = 1000 + calls++;
          return { ...others, ...(logits && { logits }) };
        };
        return Object.assign(Object.create(program) as Program, { run, release: () => program.release() });
      },
    };
    expect(await flagsAt(linear, 0.1, { engines: [noisy] })).toContain("random-outputs");
  });

  it("see an attack that stopped on its way, and none that arrived", async () => {
    const short = pgd({ steps: 2, stepSize: 0.001, randomStart: false });
    expect(await flagsAt(linear, 0.1, { attack: short })).toEqual(["too-few-steps", "attack-weakened"]);
    expect(await flagsAt(linear, 0.1, { attack: pgd({ steps: 20 }) })).toEqual([]);
  });

  it("see a network that answers one class whatever it is shown, unless that is right", async () => {
    const still = [0, 0, 0, 0];
    const one = linearClassifier([still, still], [0, 2], [0, 1]);
    const rows = (indices: readonly number[]) => new Float32Array(4 * indices.length).fill(0.5);
    const flagsWith = async (labels: Int32Array) =>
      (await evaluate(one, { count: 40, labels, rows }, { engines: [engine], trials: [] })).flags;
    const most = Int32Array.from({ length: 40 }, (_, i) => (i < 30 ? 1 : 0));
    const [flag] = await flagsWith(most);
    expect(flag?.name).toBe("at-chance");
    expect(flag?.message).toMatch(/^All 40 clean images are given class 1, .* the 75\.0 % that/);
    expect(await flagsWith(new Int32Array(40).fill(1))).toEqual([]);
  });

  it("see outputs that overflow", async () => {
    const overflow = changed((x, pass) => mul(mul(linear.model.apply(x, pass), 1e38), 1e38));
    expect(await flagsAt(overflow, 0.1)).toContain("non-finite");
  });

  it("have nothing against a plain linear model but that one step was the only attack", async () => {
    expect(await flagsAt(linear, 0.1)).toEqual(["single-step-alone"]);
    expect(await flagsAt(linear, 0)).toEqual([]);
  });
});
