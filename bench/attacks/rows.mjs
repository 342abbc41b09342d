// What is compared. Each row: attack, norm, ε (none: the nearest point is looked for), options for both sides, and
// the name that the reference has in peers/; by default on both models and 1,000 images. A variant tells rows apart
// that share attack, norm and ε.

// In L2 from the image itself: the reference draws its starts nearer to the image than uniformly.
const pgd = (norm, epsilon) => ({
  attack: "pgd",
  norm,
  epsilon,
  options: { steps: 40, relativeStepSize: 2.5, randomStart: norm !== "l2" },
  reference: {
    attack: "pgd",
    options: { steps: 40, step_size: (2.5 * epsilon) / 40, random_start: norm !== "l2" },
  },
});

const gradient = [
  { attack: "fgsm", norm: "linf", epsilon: 0.1, reference: { attack: "fgsm" } },
  pgd("linf", 0.1),
  pgd("l2", 1.5),
];

const square = (norm, epsilon) => ({
  attack: "square",
  norm,
  epsilon,
  options: { queries: 5000 },
  reference: { attack: "square", options: { queries: 5000 } },
});

const hopSkipJump = (norm) => ({
  attack: "hop-skip-jump",
  norm,
  images: 100,
  options: { steps: 40 },
  reference: { attack: "hop-skip-jump", options: { steps: 40 } },
});

const spsa = {
  attack: "spsa",
  norm: "linf",
  epsilon: 0.1,
  images: 200,
  options: { steps: 20, samples: 128, delta: 0.01, learningRate: 0.01 },
  reference: { attack: "spsa", options: { steps: 20, samples: 128, delta: 0.01, learning_rate: 0.01 } },
};

const blackBox = [square("linf", 0.1), square("l2", 1.5), spsa, hopSkipJump("l2"), hopSkipJump("linf")];

const fab = { steps: 100, n_restarts: 1, alpha_max: 0.1, eta: 1.05, beta: 0.9 };
const fabOfTorchattacks = (options) => ({ attack: "fab", options: { ...fab, ...options } });
// That of torchattacks fails in L1.
const fabOfAdvLib = (options) => ({ attack: "fab of adv-lib", options: { n_iter: 100, ...options } });
const allTargets = { multi_targeted: true, n_classes: 10 };

const nearest = [
  { attack: "fab", norm: "linf", reference: fabOfTorchattacks({}) },
  { attack: "fab", norm: "l2", reference: fabOfTorchattacks({}) },
  { attack: "fab", norm: "l1", reference: fabOfAdvLib({}) },
  { attack: "fab-t", norm: "linf", epsilon: 0.1, reference: fabOfTorchattacks(allTargets) },
  { attack: "fab-t", norm: "l2", epsilon: 1.5, reference: fabOfTorchattacks(allTargets) },
  { attack: "fab-t", norm: "l1", epsilon: 10, reference: fabOfAdvLib({ targeted_restarts: true }) },
  ...["linf", "l2"].map((norm) => ({
    attack: "deepfool",
    norm,
    reference: { attack: "deepfool", options: { steps: 50, candidates: 10, overshoot: 0.02 } },
  })),
  // Without rounding to 256 levels, which is part of DDN where images are saved.
  { attack: "ddn", norm: "l2", reference: { attack: "ddn", options: { steps: 100, levels: null } } },
  { attack: "carlini-wagner", norm: "l2", images: 100, reference: { attack: "carlini-wagner" } },
  {
    attack: "ead",
    norm: "l1",
    images: 100,
    reference: { attack: "ead", options: { steps: 1000, decision_rule: "L1", abort_early: false } },
  },
];

const ofProbabilities = {
  options: { of: "probabilities" },
  reference: { attack: "jsma of ART", options: { theta: 1 } },
};

const sparse = [
  { attack: "jsma", norm: "l0", images: 200, reference: { attack: "jsma", options: { theta: 1 } } },
  {
    attack: "jsma",
    norm: "l0",
    epsilon: 20,
    images: 200,
    reference: { attack: "jsma", options: { theta: 1 } },
  },
  { attack: "jsma", variant: "probabilities", norm: "l0", images: 200, ...ofProbabilities },
];

const apgd = (attack, norm, epsilon, [ours, theirs] = [{}, {}]) => ({
  attack,
  norm,
  epsilon,
  options: ours,
  reference: { attack, options: theirs },
});

const larger = [{ largerBalls: true }, { use_largereps: true }];

const auto = [
  ...["apgd-ce", "apgd-dlr", "apgd-t"].map((attack) => apgd(attack, "linf", 0.15)),
  ...["apgd-ce", "apgd-dlr", "apgd-t"].map((attack) => apgd(attack, "l2", 1.5)),
  apgd("apgd-ce", "l1", 10),
  apgd("apgd-dlr", "l1", 10, larger),
  apgd("apgd-t", "l1", 10, [
    { ...larger[0], targets: 5 },
    { ...larger[1], n_target_classes: 5 },
  ]),
];

const whole = [
  {
    attack: "autoattack",
    norm: "linf",
    epsilon: 0.1,
    options: { version: "standard" },
    reference: { attack: "autoattack", options: { version: "standard" } },
  },
];

export const rows = [...gradient, ...auto, ...whole, ...nearest, ...sparse, ...blackBox];
