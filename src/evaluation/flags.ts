// Doubts about an evaluation, each with its cause and what to do about it.
import type { Attack } from "../attacks/attack.js";
import type { GradientShare } from "./gradient-probe.js";
import type { RobustRecord } from "./records.js";

export interface Flag {
  readonly name: string;
  /** What was seen, and its likely cause. */
  readonly message: string;
  readonly remedy: string;
}

/** What one attack at one radius left behind beside its record. */
export interface TrialEvidence {
  readonly record: RobustRecord;
  readonly kind: Attack["kind"];
  /** Points that left ball or box before the runner took them back. */
  readonly outside: number;
  /** Adversarial points or outputs at them that are not finite. */
  readonly nonFinite: number;
  /** Images that fell to this stage of a suite. */
  readonly fallen?: number;
  /** Points wrongly classified before the attack and rightly after it; single-step attacks only. */
  readonly recovered: number;
  /** Adversarial points rounded to 8 bits, and how many of them are rightly classified again. */
  readonly rounding: { readonly checked: number; readonly lost: number };
}

export interface Evidence {
  readonly n: number;
  readonly clean: number;
  /** Clean outputs are ≥ 0 and sum to 1. */
  readonly probabilities: boolean;
  /** Clean points with an output that is not finite. */
  readonly nonFinite: number;
  /** Absent where nothing was attacked. */
  readonly gradients: GradientShare | null;
  readonly trials: readonly TrialEvidence[];
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const title = ({ attack, norm, epsilon }: RobustRecord): string => `${attack} (${norm}, ε ${epsilon})`;

const alone = ({ trials }: Evidence): Flag[] => {
  const attacking = trials.filter(({ record }) => record.epsilon > 0);
  if (attacking.length === 0 || attacking.some(({ kind }) => kind !== "single-step")) return [];
  const names = [...new Set(attacking.map(({ record }) => record.attack))].join(", ");
  return [
    {
      name: "single-step-alone",
      message: `Every attack took a single step (${names}), so these figures say nothing about robustness: a network that hides its gradient withstands one step and falls to many.`,
      remedy: "Attack with pgd too before any figure here is quoted.",
    },
  ];
};

const probabilities = ({ probabilities }: Evidence): Flag[] =>
  probabilities
    ? [
        {
          name: "probabilities",
          message: "The outputs sum to 1: probabilities, not logits. Attacks used their logarithm.",
          remedy:
            "Export the model without its last softmax: logarithms of rounded probabilities lose gradients.",
        },
      ]
    : [];

const nonFinite = ({ nonFinite, n, gradients, trials }: Evidence): Flag[] => {
  const under = trials.reduce((total, trial) => total + trial.nonFinite, 0);
  const bad = gradients?.nonFinite ?? 0;
  if (nonFinite + under + bad === 0) return [];
  return [
    {
      name: "non-finite",
      message: `Infinite or undefined numbers: outputs of ${nonFinite} of ${n} clean images, ${under} adversarial ones; gradients of ${bad}. Attacks cannot climb them, so robust accuracy may be too high.`,
      remedy:
        "Find the overflow (often an exponential, a logarithm or a division in the model) and evaluate again.",
    },
  ];
};

const zeroGradients = ({ gradients }: Evidence): Flag[] =>
  gradients !== null && gradients.zero > 0.01 * gradients.checked
    ? [
        {
          name: "zero-gradients",
          message: `The gradient is zero in every coordinate at ${percent(gradients.zero / gradients.checked)} of ${gradients.checked} images: gradient attacks cannot move them, which looks like robustness and is not.`,
          remedy:
            "Look for steps, rounding, saturation or dead units; judge by attacks without gradients, or transfer.",
        },
      ]
    : [];

/** Two records of the same attack that differ in ε alone. */
const sameButEpsilon = (a: RobustRecord, b: RobustRecord): boolean =>
  a.attack === b.attack &&
  a.suite === b.suite &&
  a.norm === b.norm &&
  a.targeted === b.targeted &&
  JSON.stringify(a.options) === JSON.stringify(b.options);

const rising = ({ trials, n }: Evidence): Flag[] => {
  const records = trials.map(({ record }) => record);
  const margin = Math.max(0.005, 2 / n);
  const pairs = records.flatMap((low) =>
    records
      .filter((high) => sameButEpsilon(low, high) && high.epsilon > low.epsilon)
      .filter((high) => high.accuracy > low.accuracy + margin)
      .map((high) => [low, high] as const),
  );
  const [first] = pairs;
  if (first === undefined) return [];
  const [low, high] = first;
  return [
    {
      name: "rises-with-epsilon",
      message: `Accuracy rises with ε: ${percent(low.accuracy)} under ${title(low)}, ${percent(high.accuracy)} at ε ${high.epsilon}. A larger ball holds the smaller one, so the attack failed.`,
      remedy: "Use more and smaller steps, restarts, and attacks of other kinds; trust the smallest figure.",
    },
  ];
};

const overfitted = ({ trials, clean }: Evidence): Flag[] => {
  const of = (kind: TrialEvidence["kind"]) => trials.filter((t) => t.kind === kind && t.record.epsilon > 0);
  const pairs = of("single-step").flatMap(({ record: one }) =>
    of("iterative").flatMap(({ record: many }) =>
      one.norm === many.norm &&
      one.epsilon === many.epsilon &&
      one.accuracy >= 0.5 * clean &&
      many.accuracy < 0.5 * one.accuracy
        ? [[one, many] as const]
        : [],
    ),
  );
  const [first] = pairs;
  if (first === undefined) return [];
  const [one, many] = first;
  return [
    {
      name: "single-step-only",
      message: `${percent(one.accuracy)} under ${title(one)}, but ${percent(many.accuracy)} under ${title(many)}: the model resists one step only (catastrophic overfitting of single-step training, or gradient masking).`,
      remedy: "Do not quote the single-step figure. Train with a random start, smaller ε or several steps.",
    },
  ];
};

const leaking = ({ trials, clean, n }: Evidence): Flag[] => {
  const found = trials.find(({ record, recovered }) => record.accuracy + recovered / n > clean + 2 / n);
  if (found === undefined) return [];
  const { record, recovered } = found;
  return [
    {
      name: "label-leaking",
      message: `With all images attacked, accuracy under ${title(record)} is ${percent(record.accuracy + recovered / n)}, above the clean ${percent(clean)}: the perturbation gives the label away.`,
      remedy:
        "The model has learnt the attack. Craft training images from predicted labels or with random starts.",
    },
  ];
};

const outside = ({ trials }: Evidence): Flag[] =>
  trials
    .filter((trial) => trial.outside > 0)
    .map(({ record, outside: count }) => ({
      name: "left-ball",
      message: `${title(record)} left its ball or the bounds at ${count} ${count === 1 ? "image" : "images"}; what left was taken back before it counted.`,
      remedy: "A defect of the attack: report it.",
    }));

const rounding = ({ trials }: Evidence): Flag[] => {
  const lossy = trials.filter(({ rounding: { checked, lost } }) => checked >= 10 && lost > 0.1 * checked);
  const [first] = lossy;
  if (first === undefined) return [];
  const { lost, checked } = first.rounding;
  return [
    {
      name: "lost-in-8-bits",
      message: `${lost} of ${checked} adversarial images of ${title(first.record)} are no longer adversarial when saved with 8 bits a pixel.`,
      remedy: "For attacks on image files, quote figures after rounding.",
    },
  ];
};

const detectors = [
  alone,
  probabilities,
  nonFinite,
  zeroGradients,
  leaking,
  overfitted,
  rising,
  outside,
  rounding,
];

/** All doubts that the evidence raises, the gravest kind first. */
export const flagsOf = (evidence: Evidence): Flag[] => detectors.flatMap((detect) => detect(evidence));
