// Doubts about models that draw random numbers, and about attacks made for them.
import type { Evidence, Flag } from "./evidence.js";

const namesOf = (names: readonly string[]): string => [...new Set(names)].join(", ");

/** Draws over which each step of the attack averages. */
export const drawsOf = (options: Readonly<Record<string, unknown>> | undefined): number =>
  Number(options?.["eot"] ?? 1);

export const randomModel = ({ draws }: Evidence): Flag[] =>
  draws.length === 0
    ? []
    : [
        {
          name: "random-model",
          message: `The model draws random numbers (${draws.join(", ")}). Each image is judged under one draw of its own, the same for its clean and adversarial points; attacks see other draws.`,
          remedy: "Evaluate with several seeds, and quote the spread.",
        },
      ];

/** A gradient at one draw is that of another model. */
export const singleDraws = ({ draws, trials }: Evidence): Flag[] => {
  const attacking = trials.filter(
    ({ record, kind }) => record.epsilon > 0 && (kind === "single-step" || kind === "iterative"),
  );
  if (draws.length === 0 || attacking.some(({ record }) => drawsOf(record.options) > 1)) return [];
  const names = namesOf(attacking.map(({ record: { suite, attack } }) => suite ?? attack));
  return names === ""
    ? []
    : [
        {
          name: "single-draws",
          message: `The model draws random numbers, and ${names} followed gradients of single draws, which point elsewhere than their mean: accuracy looks higher than it is.`,
          remedy:
            "Use autoattack with version=rand, which is made for random models, or pgd and apgd-ce with eot=20.",
        },
      ];
};

/** Where nothing is drawn, all draws are one. */
export const needlessDraws = ({ draws, trials }: Evidence): Flag[] => {
  const several = trials.filter(({ record }) => drawsOf(record.options) > 1);
  const [first] = several;
  if (draws.length > 0 || first === undefined) return [];
  const names = namesOf(several.map(({ record: { suite, attack } }) => suite ?? attack));
  const isSuite = several.some(({ record }) => record.suite !== undefined);
  return [
    {
      name: "nothing-random",
      message: `${names} averaged gradients over ${drawsOf(first.record.options)} draws, but the model draws nothing: one gradient was taken${isSuite ? ", and of the published attacks FAB-T, the targeted ratio and Square were left out" : ""}.`,
      remedy: isSuite ? "Use autoattack's standard version." : "Leave eot out.",
    },
  ];
};
