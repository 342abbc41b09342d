// Doubts about attacks that were given far less than they have by default.
import { attackNames, createAttack } from "../../attacks/create.js";
import type { RobustRecord } from "../records.js";
import { ballsOf, title, type Evidence, type Flag } from "./evidence.js";

/** Options that say how often an attack tries. */
const budgets = ["steps", "queries", "targets", "searchSteps", "samples", "initialQueries"];
/** Options without which nothing moves. */
const lengths = ["stepSize", "relativeStepSize", "learningRate"];
/** Less than this part of the default is far less. */
const little = 1 / 5;

const numberIn = (options: RobustRecord["options"], key: string): number | undefined => {
  const value = options?.[key];
  return typeof value === "number" ? value : undefined;
};

/** In which way the attack of `record` is weaker than it is by default; null where it is not. */
function weakness({ attack, epsilon, options }: RobustRecord): string | null {
  if (!attackNames.includes(attack)) return null;
  const usual = createAttack(attack).options;
  const still = lengths.find((key) => numberIn(options, key) === 0);
  if (still !== undefined) return `had ${still} 0 and cannot move`;
  const short = budgets.find((key) => {
    const [given, published] = [numberIn(options, key), numberIn(usual, key)];
    return given !== undefined && published !== undefined && given < little * published;
  });
  if (short !== undefined)
    return `had ${short} ${options?.[short] ?? ""} where its default is ${usual[short] ?? ""}`;
  const [steps, length] = [numberIn(options, "steps"), numberIn(options, "stepSize")];
  const reach = steps === undefined || length === undefined ? Infinity : steps * length;
  return reach < epsilon * (1 - 1e-6)
    ? `takes ${steps ?? ""} steps of ${length ?? ""}, which do not reach as far as ε`
    : null;
}

/** Whether the attack iterates and has all its means. */
const isWhole = (record: RobustRecord): boolean =>
  attackNames.includes(record.attack) &&
  createAttack(record.attack).kind !== "single-step" &&
  weakness(record) === null;

/** Stages are as their suite has them; beside a whole attack at the same radius a weakened one decides nothing. */
export const weakened = ({ trials }: Evidence): Flag[] => {
  const records = trials.flatMap(({ record }) =>
    record.suite === undefined && record.epsilon > 0 ? [record] : [],
  );
  const weak = records.flatMap((record) => {
    const found = weakness(record);
    const rivals = records.filter(({ norm, epsilon }) => norm === record.norm && epsilon === record.epsilon);
    return found === null || rivals.some(isWhole) ? [] : [{ record, found }];
  });
  const [first, ...others] = weak;
  if (first === undefined) return [];
  const more = new Set(
    others.map(({ record }) => record.attack).filter((name) => name !== first.record.attack),
  );
  const also = more.size === 0 ? "" : ` (${[...more].join(", ")} likewise)`;
  return [
    {
      name: "attack-weakened",
      message: `${title(first.record)} ${first.found}${also}: what withstands it may fall to the attack as published.`,
      remedy: "Run the attack with its own budget before any figure here is quoted.",
      balls: ballsOf(weak.map(({ record }) => record)),
    },
  ];
};
