// What an audit found, in sentences that can be forwarded.
import { wilsonInterval } from "../evaluation/statistics/wilson.js";
import type { AuditFile, RobustRecord } from "../experiments/records.js";
import { isSingleStep } from "./strength.js";
import { groupBy } from "./table.js";
import { attackText, epsilonText, integer, normText, percent } from "./text.js";

/** `41.2 % (95 % interval 38.2–44.3)`. */
function shareText(share: number, n: number): string {
  const [low, high] = wilsonInterval(Math.round(share * n), n).map((bound) => percent(bound, n));
  return `${percent(share, n)} % (95 % interval ${low}–${high})`;
}

/** What the share that withstands says, beside the clean one. */
function holds(robust: number, clean: number): string {
  const kept = clean === 0 ? 0 : robust / clean;
  if (kept < 0.1) return "does not withstand these attacks";
  if (kept < 0.5) return "withstands these attacks on a minority of images only";
  return kept < 0.9 ? "withstands these attacks on most images" : "withstands these attacks";
}

/** Doubts under which nothing that withstands may be praised. */
const grave = new Set([
  "random-outputs",
  "single-draws",
  "non-finite",
  "zero-gradients",
  "tiny-gradients",
  "black-box-wins",
  "rises-with-epsilon",
  "too-few-steps",
  "attack-weakened",
  "at-chance",
  "ball-holds-all",
]);

/** How far the figures can be trusted, by the strongest kind of attack behind them. */
function strengthOf(records: readonly RobustRecord[]): string {
  const isWhole = ({ attack, options }: RobustRecord): boolean =>
    attack === "autoattack" && !["fast", "rand"].includes(String(options?.["version"]));
  if (records.some(isWhole))
    return "AutoAttack is among the attacks: what withstands it seldom falls to other attacks of general use. It remains an upper bound.";
  return "Stronger attacks may find more: the figure is an upper bound on robustness.";
}

/** The strongest figure at each norm and radius, and what it is worth. */
export function auditVerdict({ clean, robust, dataset, flags }: AuditFile): string[] {
  const doubts = flags.map(({ name }) => name).filter((name) => grave.has(name));
  const images = `${integer(dataset.n)} images of ${dataset.name}`;
  const first = `Of ${images} the model classifies ${shareText(clean, dataset.n)} rightly.`;
  const attacked = robust.filter(({ epsilon, suite }) => epsilon > 0 && suite === undefined);
  const balls = [...groupBy(attacked, ({ norm, epsilon }) => `${norm} ${epsilon}`).values()];
  const lines = balls.flatMap((records) => {
    const whole = records.find(({ attack }) => attack === "worst-case");
    const [worst] = whole ? [whole] : records.toSorted((a, b) => a.accuracy - b.accuracy);
    if (worst === undefined) return [];
    const { norm, epsilon, accuracy, n } = worst;
    if (records.every(({ attack }) => isSingleStep(attack)))
      return [`${normText(norm)}, ε ${epsilonText(epsilon)}: single steps alone were tried: no verdict.`];
    const by = whole ? "all attacks together leave" : `${attackText(worst.attack)} leaves`;
    const where = `${normText(norm)}, ε ${epsilonText(epsilon)}`;
    const isDoubtful = doubts.length > 0 && accuracy >= 0.1 * clean;
    const said = isDoubtful
      ? `No verdict while there are these doubts: ${doubts.join(", ")}.`
      : `The model ${holds(accuracy, clean)}.`;
    return [`${where}: ${by} ${shareText(accuracy, n)} right. ${said}`];
  });
  const strong = attacked.filter(({ attack }) => !isSingleStep(attack));
  return [first, ...lines, ...(strong.length === 0 ? [] : [strengthOf(strong)])];
}
