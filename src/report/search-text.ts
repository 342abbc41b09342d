// What the search of a method's options found, in words; the command line reads no more of the report for it.
import type { SearchRecord } from "../experiments/records.js";
import { attackText, epsilonText, normText, optionsText, percent, plural } from "./text.js";

/** `accuracy`, or `accuracy under PGD L∞ at ε 0.1 (steps 10)`. */
export function objectiveText({ objective }: SearchRecord): string {
  if (objective === "clean") return "accuracy";
  const { attack, norm, epsilon, options } = objective;
  const more = optionsText(options);
  const at = `${attackText(attack)} ${normText(norm)} at ε ${epsilonText(epsilon)}`;
  return `accuracy under ${at}${more === "" ? "" : ` (${more})`}`;
}

export const scoreText = (score: number | null, images: number): string =>
  score === null ? "diverged" : percent(score, images);

/** `epsilon 0.5 found, 98.81 % of 5,000 validation images right`. */
export function foundText(record: SearchRecord): string {
  const { candidates, found, images } = record;
  const best = candidates[found];
  const score = scoreText(best?.scores.at(-1) ?? null, images);
  return `${optionsText(best?.values ?? {})} found, ${score} % ${objectiveText(record)} on ${plural(images, "validation image")}`;
}
