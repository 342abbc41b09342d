// What flags are raised from.
import type { Attack } from "../../attacks/attack.js";
import type { Bounds } from "../../threat/threat.js";
import type { GradientShare } from "../gradient-probe.js";
import type { RobustRecord } from "../records.js";

export interface Flag {
  readonly name: string;
  /** What was seen, and its likely cause. */
  readonly message: string;
  readonly remedy: string;
  /** What it is a doubt about; all figures where it is left out. */
  readonly balls?: Ball[];
}

/** A norm and a radius in input units. */
export type Ball = Pick<RobustRecord, "norm" | "epsilon">;

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
  /** Points that withstood the attack, and how many of them fell when it was carried on for some more steps. */
  readonly carriedOn?: { readonly checked: number; readonly fallen: number };
}

export interface Evidence {
  readonly n: number;
  readonly classes: number;
  /** What the model draws at random, by the names of its nodes. */
  readonly draws: readonly string[];
  readonly clean: number;
  /** The class that every clean image was given although their labels differ; null where there is none. */
  readonly answer: number | null;
  /** Numbers in one input. */
  readonly inputs: number;
  /** Smallest and largest legal input value. */
  readonly bounds: Bounds;
  /** Clean outputs are ≥ 0 and sum to 1. */
  readonly probabilities: boolean;
  /** The same images gave other outputs the second time. */
  readonly random: boolean;
  /** Clean points with an output that is not finite. */
  readonly nonFinite: number;
  /** Absent where nothing was attacked. */
  readonly gradients: GradientShare | null;
  readonly trials: readonly TrialEvidence[];
}

/** The balls of `records`, each once. */
export function ballsOf(records: readonly RobustRecord[]): Ball[] {
  const found = new Map(records.map(({ norm, epsilon }) => [`${norm} ${epsilon}`, { norm, epsilon }]));
  return [...found.values()];
}

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
export const title = ({ attack, suite, norm, epsilon }: RobustRecord): string =>
  `${suite === undefined ? "" : `${suite}'s `}${attack} (${norm}, ε ${Number(epsilon.toPrecision(4))})`;
