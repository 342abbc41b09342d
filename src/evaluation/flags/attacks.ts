// Doubts about the attacks: too weak, of one kind, or misled.
import { ballsOf, percent, title, type Evidence, type Flag, type TrialEvidence } from "./evidence.js";
import type { RobustRecord } from "../records.js";
import { drawsOf } from "./random.js";

/** Whether it tries often on the model that is judged: what withstands a single step or points made elsewhere proves nothing. */
const isTelling = ({ kind }: TrialEvidence): boolean => kind === "iterative" || kind === "black-box";

export const alone = ({ trials }: Evidence): Flag[] => {
  const attacking = trials.filter(({ record }) => record.epsilon > 0);
  if (attacking.length === 0 || attacking.some(isTelling)) return [];
  const namesOf = (of: TrialEvidence["kind"]): string =>
    [...new Set(attacking.flatMap(({ kind, record }) => (kind === of ? [record.attack] : [])))].join(", ");
  const [steps, transfers] = [namesOf("single-step"), namesOf("transfer")];
  const remedy = "Attack with pgd too before any figure here is quoted.";
  if (steps === "")
    return [
      {
        name: "transfer-alone",
        message: `Every attack was made on another model (${transfers}), so these figures say nothing about robustness: an attacker who has this model finds points that no other one shows.`,
        remedy,
      },
    ];
  const elsewhere = transfers === "" ? "" : ` or was made on another model (${transfers})`;
  return [
    {
      name: "single-step-alone",
      message: `Every attack took a single step (${steps})${elsewhere}, so these figures say nothing about robustness: a network that hides its gradient withstands one step and falls to many.`,
      remedy,
    },
  ];
};

export const overfitted = ({ trials, clean }: Evidence): Flag[] => {
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

/** A single step that leaves clearly less than all attacks of many steps on the model in its ball: those have failed. */
export const weakIterative = ({ trials, n }: Evidence): Flag[] => {
  const margin = Math.max(0.01, 2 / n);
  const found = trials.flatMap((one) => {
    const same = trials.filter(
      (other) =>
        isTelling(other) &&
        other.record.norm === one.record.norm &&
        other.record.epsilon === one.record.epsilon &&
        other.record.targeted === one.record.targeted,
    );
    const [many] = same.toSorted((a, b) => a.record.accuracy - b.record.accuracy);
    const wins = many !== undefined && one.record.accuracy < many.record.accuracy - margin;
    return one.kind === "single-step" && wins ? [[one.record, many.record] as const] : [];
  });
  const [first] = found;
  if (first === undefined) return [];
  const [one, many] = first;
  return [
    {
      name: "weak-iterative",
      message: `A single step, ${title(one)}, leaves ${percent(one.accuracy)}, the strongest attack of many steps, ${title(many)}, ${percent(many.accuracy)}: the steps go astray, so the figure says little.`,
      remedy:
        "Attack with more and other iterating attacks; trust the smallest figure as an upper bound only.",
      balls: ballsOf(found.map(([record]) => record)),
    },
  ];
};

export const leaking = ({ trials, clean, n }: Evidence): Flag[] => {
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

/**
 * What a single attack without the model's gradients – a search, or a transfer – found that none with them did, at the
 * same norm and ε. Stages count with what the whole suite had left by then.
 */
function beatenByBlackBox({ trials, n }: Evidence): (readonly [TrialEvidence, string])[] {
  const margin = Math.max(0.01, 2 / n);
  const own = trials.filter(({ record }) => record.suite === undefined && record.epsilon > 0);
  const single = own.flatMap((black) => {
    const same = trials.filter(
      ({ kind, record: { norm, epsilon, targeted } }) =>
        kind === "iterative" &&
        norm === black.record.norm &&
        epsilon === black.record.epsilon &&
        targeted === black.record.targeted,
    );
    const white = same.toSorted((a, b) => a.record.accuracy - b.record.accuracy)[0];
    const isBlind = black.kind === "black-box" || black.kind === "transfer";
    if (!isBlind || white === undefined) return [];
    if (black.record.accuracy >= white.record.accuracy - margin) return [];
    const [low, high] = [percent(black.record.accuracy), percent(white.record.accuracy)];
    return [
      [black, `leaves ${low}, the strongest attack with them, ${title(white.record)}, ${high}`],
    ] as const;
  });
  const stages = trials.flatMap((stage) =>
    stage.kind === "black-box" && (stage.fallen ?? 0) > margin * n
      ? ([[stage, `brings down ${stage.fallen} of the images that withstood every stage with them`]] as const)
      : [],
  );
  return [...single, ...stages];
}

export const blackBoxWins = (evidence: Evidence): Flag[] => {
  const found = beatenByBlackBox(evidence);
  return found.slice(0, 1).map(([{ record }, words]) => ({
    balls: ballsOf(found.map(([black]) => black.record)),
    name: "black-box-wins",
    message: `Without the model's own gradients, ${title(record)} ${words}: the gradients mislead (masking), so attacks that follow them say too little.`,
    remedy:
      "Trust the smallest figure; look for what hides the gradient, and attack around it (transfer, more queries).",
  }));
};

/** Whether another attack that iterates on the model leaves no more at the same ball than `record` would after `share` of it had fallen. */
const isOutdone = (record: RobustRecord, share: number, trials: readonly TrialEvidence[]): boolean =>
  trials.some(
    (rival) =>
      rival.record !== record &&
      isTelling(rival) &&
      rival.record.norm === record.norm &&
      rival.record.epsilon === record.epsilon &&
      rival.record.targeted === record.targeted &&
      rival.record.accuracy <= record.accuracy * (1 - share) + 1e-9,
  );

/** Points that withstood and fall soon after make the figure a matter of the number of steps, where it is the least. */
export const unfinished = ({ trials }: Evidence): Flag[] => {
  const found = trials.flatMap(({ record, carriedOn }) =>
    carriedOn &&
    carriedOn.checked >= 10 &&
    carriedOn.fallen > Math.max(1, 0.02 * carriedOn.checked) &&
    !isOutdone(record, carriedOn.fallen / carriedOn.checked, trials)
      ? [{ record, ...carriedOn }]
      : [],
  );
  const [first] = found;
  if (first === undefined) return [];
  const { record, checked, fallen } = first;
  return [
    {
      name: "too-few-steps",
      message: `${fallen} of ${checked} images that withstood ${title(record)} fall when it goes on for some more steps: the loss was still rising, so the figure is too high.`,
      remedy: "Use more steps, restarts, or autoattack, whose step size adapts.",
      balls: ballsOf(found.map((each) => each.record)),
    },
  ];
};

export const fewClasses = ({ classes, trials }: Evidence): Flag[] => {
  const stages = trials.filter(({ record }) => record.suite !== undefined);
  const suite = stages[0]?.record.suite;
  const isForRandom = stages.some(({ record }) => drawsOf(record.options) > 1);
  if (suite === undefined || classes >= (isForRandom ? 3 : 4)) return [];
  const why =
    classes >= 3
      ? "the targeted difference of logits ratio needs 4 classes"
      : `the difference of logits ratio needs 3 classes${isForRandom ? "" : ", its targeted form 4"}`;
  const instead = isForRandom ? "so apgd-ce alone was run" : "so other losses stand in";
  return [
    {
      name: "few-classes",
      message: `With ${classes} classes ${suite} is not the published one: ${why}, ${instead}.`,
      remedy: "Do not compare the figure with those of published leaderboards.",
    },
  ];
};

export const outside = ({ trials }: Evidence): Flag[] =>
  trials
    .filter((trial) => trial.outside > 0)
    .map(({ record, outside: count }) => ({
      name: "left-ball",
      message: `${title(record)} left its ball or the bounds at ${count} ${count === 1 ? "image" : "images"}; what left was taken back before it counted.`,
      remedy: "A defect of the attack: report it.",
    }));
