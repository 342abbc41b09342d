// What an audit found, in sentences that can be forwarded.
import { wilsonInterval } from "../evaluation/statistics/wilson.js";
import type { AuditFile, RobustRecord } from "../experiments/records.js";
import { isTelling, weakKinds } from "./strength.js";
import { groupBy } from "./table.js";
import { attackText, epsilonText, integer, normText, percent } from "./text.js";

/** `41.2 % (95 % interval 38.2–44.3)`. */
function shareText(share: number, n: number): string {
  const [low, high] = wilsonInterval(Math.round(share * n), n).map((bound) => percent(bound, n));
  return `${percent(share, n)} % (95 % interval ${low}–${high})`;
}

/** What the share that withstands says, of the images that the model reads rightly as they are. */
function holds({ accuracy, targeted }: RobustRecord, clean: number): string {
  const kept = clean === 0 ? 0 : accuracy / clean;
  const these = targeted === true ? "these attacks, each aimed at one wrong class," : "these attacks";
  if (kept < 0.1) return `does not withstand ${these.replace(/,$/, "")}`;
  if (kept >= 0.9) return `withstands ${these.replace(/,$/, "")}`;
  const share = kept < 0.5 ? "a minority" : "most";
  return `withstands ${these} on ${share} of the images that it classifies rightly`;
}

/** Doubts under which nothing that withstands may be praised. */
const grave = new Set([
  "random-outputs",
  "single-draws",
  "non-finite",
  "zero-gradients",
  "tiny-gradients",
  "black-box-wins",
  "weak-iterative",
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
  const doubtsAt = ({ norm, epsilon }: RobustRecord): string[] =>
    flags
      .filter(
        ({ name, balls }) =>
          grave.has(name) && (balls?.some((b) => b.norm === norm && b.epsilon === epsilon) ?? true),
      )
      .map(({ name }) => name);
  const images = `${integer(dataset.n)} images of ${dataset.name}`;
  const first = `Of ${images} the model classifies ${shareText(clean, dataset.n)} rightly.`;
  const attacked = robust.filter(({ epsilon, suite }) => epsilon > 0 && suite === undefined);
  const balls = [...groupBy(attacked, ({ norm, epsilon }) => `${norm} ${epsilon}`).values()];
  const lines = balls.flatMap((records) => {
    const whole = records.find(({ attack }) => attack === "worst-case");
    const [worst] = whole ? [whole] : records.toSorted((a, b) => a.accuracy - b.accuracy);
    if (worst === undefined) return [];
    const { norm, epsilon, accuracy, n } = worst;
    const names = records.map(({ attack }) => attack);
    if (!names.some(isTelling))
      return [
        `${normText(norm)}, ε ${epsilonText(epsilon)}: ${weakKinds(names)} alone were tried: no verdict.`,
      ];
    const by = whole ? "all attacks together leave" : `${attackText(worst.attack)} leaves`;
    const where = `${normText(norm)}, ε ${epsilonText(epsilon)}`;
    const doubts = doubtsAt(worst);
    const isDoubtful = doubts.length > 0 && accuracy >= 0.1 * clean;
    const said = isDoubtful
      ? `No verdict while there are these doubts: ${doubts.join(", ")}.`
      : `The model ${holds(worst, clean)}.`;
    return [`${where}: ${by} ${shareText(accuracy, n)} right. ${said}`];
  });
  const strong = attacked.filter(({ attack }) => isTelling(attack));
  return [first, ...lines, ...(strong.length === 0 ? [] : [strengthOf(strong)])];
}
