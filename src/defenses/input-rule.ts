// How the stored inputs follow their gradient: by a multiple of it, or by an optimizer's rule for each pixel.
import type { Node } from "../graph/node.js";
import { add, mul } from "../ops/arithmetic.js";
import { adam } from "../optim/adam.js";
import type { Optimizer } from "../optim/optimizer.js";
import { rprop } from "../optim/rprop.js";
import { wame } from "../optim/wame.js";
import type { Outcome, StepContext } from "./defense.js";

const optimizers = { adam, rprop, wame } as const;

/** `gradient`, or the optimizers that may take its place. */
export const inputRules = ["gradient", "rprop", "adam", "wame"] as const;
export type InputRule = (typeof inputRules)[number];

export interface InputStep {
  /** The gradient at the stored inputs, of the loss that they climb. */
  readonly gradient: Node;
  /** Length of the step (λ̄); below 0 they go down. */
  readonly lambda: number;
  readonly rule: InputRule;
  /** In front of the names of scalars and of the state of each sample. */
  readonly name: string;
}

/**
 * The stored inputs x after a step. gradient: x + λ̄·g. Else x moves by the optimizer's rule with its default options
 * at the learning rate |λ̄|, up g where λ̄ ≥ 0, down where λ̄ < 0; its slots are state of each sample, and its steps are
 * epochs, since each sample comes once in an epoch. λ̄ = 0 leaves x as it is.
 */
export function inputStep(
  context: StepContext,
  { gradient, lambda, rule, name }: InputStep,
): Required<Pick<Outcome, "storedInputs" | "perSample">> {
  if (rule === "gradient") {
    const length = context.scalar(`${name}.lambda`, lambda);
    return { storedInputs: add(context.stored, mul(length, gradient)), perSample: {} };
  }
  const optimizer: Optimizer = optimizers[rule]();
  const slotName = (slot: string): string => `${name}/${slot}`;
  const slots = Object.entries(optimizer.slots).map(
    ([slot, initial]) => [slot, context.perSample(slotName(slot), initial)] as const,
  );
  const next = optimizer.update(
    { parameter: context.stored, slots: Object.fromEntries(slots) },
    // Optimizers go down.
    mul(lambda < 0 ? 1 : -1, gradient),
    {
      learningRate: context.scalar(`${name}.lambda`, Math.abs(lambda)),
      step: context.scalar(`${name}.step`, (epoch) => epoch + 1),
    },
  );
  const perSample = slots.map(([slot, held]) => [slotName(slot), next.slots[slot] ?? held] as const);
  return { storedInputs: next.parameter, perSample: Object.fromEntries(perSample) };
}
