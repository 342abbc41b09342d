// Names of the losses, apart from their graphs: the command line offers them before it loads any.

export const lossNames = [
  "softmax-cross-entropy",
  "logistic-cross-entropy",
  "squared-error",
  "margin",
] as const;

export type LossName = (typeof lossNames)[number];
