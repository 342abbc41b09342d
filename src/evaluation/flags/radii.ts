// Doubts from one attack at several radii, and from what the radius leaves of an image.
import type { RobustRecord } from "../records.js";
import { ballsOf, percent, title, type Evidence, type Flag } from "./evidence.js";

/** Two records of the same attack that differ in ε alone. */
const sameButEpsilon = (a: RobustRecord, b: RobustRecord): boolean =>
  a.attack === b.attack &&
  a.suite === b.suite &&
  a.norm === b.norm &&
  a.targeted === b.targeted &&
  JSON.stringify(a.options) === JSON.stringify(b.options);

export const rising = ({ trials, n }: Evidence): Flag[] => {
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

export const rounding = ({ trials }: Evidence): Flag[] => {
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

/** The radius from which on each ball holds plain grey, for every image, by norm; `pixels` inputs of `range`. */
const reachOfGrey: Readonly<Record<RobustRecord["norm"], (range: number, inputs: number) => number>> = {
  linf: (range) => range / 2,
  l2: (range, inputs) => (range / 2) * Math.sqrt(inputs),
  l1: (range, inputs) => (range / 2) * inputs,
  l0: (_, inputs) => inputs,
};

/** A radius that reaches grey from every image: nothing can withstand it. */
export const ballHoldsAll = ({ bounds: [low, high], inputs, trials }: Evidence): Flag[] => {
  const records = trials
    .map(({ record }) => record)
    .filter(({ norm, epsilon }) => epsilon >= reachOfGrey[norm](high - low, inputs) * (1 - 1e-9));
  const [first] = records;
  if (first === undefined) return [];
  const reach =
    first.norm === "linf"
      ? `half the range of the inputs, [${low}, ${high}], or more`
      : `so large in ${first.norm} that its ball holds plain grey`;
  return [
    {
      name: "ball-holds-all",
      message: `ε ${first.epsilon} is ${reach}: every image can be turned into plain grey, which no classifier withstands.`,
      remedy: "Give ε in input units: 8/255, not 8.",
      balls: ballsOf(records),
    },
  ];
};
