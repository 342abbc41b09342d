// Doubts about an evaluation, each with its cause and what to do about it.
import {
  alone,
  blackBoxWins,
  fewClasses,
  leaking,
  outside,
  overfitted,
  unfinished,
  weakIterative,
} from "./attacks.js";
import type { Evidence, Flag } from "./evidence.js";
import { tinyGradients, zeroGradients } from "./gradients.js";
import { atChance, nonFinite, probabilities, random } from "./outputs.js";
import { weakened } from "./weakened.js";
import { needlessDraws, randomModel, singleDraws } from "./random.js";
import { ballHoldsAll, rising, rounding } from "./radii.js";

export type { Evidence, Flag, TrialEvidence } from "./evidence.js";

const detectors = [
  alone,
  atChance,
  random,
  randomModel,
  singleDraws,
  needlessDraws,
  probabilities,
  nonFinite,
  zeroGradients,
  tinyGradients,
  blackBoxWins,
  leaking,
  overfitted,
  weakIterative,
  rising,
  ballHoldsAll,
  unfinished,
  weakened,
  fewClasses,
  outside,
  rounding,
];

/** All doubts that the evidence raises, the gravest kind first. */
export const flagsOf = (evidence: Evidence): Flag[] => detectors.flatMap((detect) => detect(evidence));
