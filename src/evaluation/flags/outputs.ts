// Doubts about what the model gives out.
import { percent, type Evidence, type Flag } from "./evidence.js";

/**
 * Guessing would be right on one image in `classes`; two standard deviations above it are still chance, and so is any
 * share that one answer for all images brings.
 */
export const atChance = ({ clean, classes, n, answer }: Evidence): Flag[] => {
  if (answer !== null)
    return [
      {
        name: "at-chance",
        message: `All ${n} clean images are given class ${answer}, although their labels differ: the ${percent(clean)} that are classified rightly are the share of that class, and what answers without looking withstands anything.`,
        remedy:
          "Look for a training that came to nothing (learning rate, dead units), or for the wrong range of the pixels.",
      },
    ];
  const guessed = 1 / classes;
  if (clean > guessed + 2 * Math.sqrt((guessed * (1 - guessed)) / n)) return [];
  return [
    {
      name: "at-chance",
      message: `${percent(clean)} of the clean images are classified rightly, no more than by guessing among ${classes} classes: labels, order of classes or preprocessing are not those of the model.`,
      remedy:
        "Check the order of the classes, the range of the pixels, mean and standard deviation, and the layout.",
    },
  ];
};

export const probabilities = ({ probabilities }: Evidence): Flag[] =>
  probabilities
    ? [
        {
          name: "probabilities",
          message: "The outputs sum to 1: probabilities, not logits. Attacks used their logarithm.",
          remedy:
            "Export the model without its last softmax: logarithms of rounded probabilities lose gradients.",
        },
      ]
    : [];

export const random = ({ random }: Evidence): Flag[] =>
  random
    ? [
        {
          name: "random-outputs",
          message:
            "The same images gave other outputs the second time: the model draws random numbers, so an attack meets another model at each step, and accuracy is too high by chance.",
          remedy:
            "Switch the randomness off if it is not part of the defence; else attack the expectation over many draws.",
        },
      ]
    : [];

export const nonFinite = ({ nonFinite, n, gradients, trials }: Evidence): Flag[] => {
  const under = trials.reduce((total, trial) => total + trial.nonFinite, 0);
  const bad = gradients?.nonFinite ?? 0;
  if (nonFinite + under + bad === 0) return [];
  return [
    {
      name: "non-finite",
      message: `Infinite or undefined numbers: outputs of ${nonFinite} of ${n} clean images, ${under} adversarial ones; gradients of ${bad}. Attacks cannot climb them, so robust accuracy may be too high.`,
      remedy:
        "Find the overflow (often an exponential, a logarithm or a division in the model) and evaluate again.",
    },
  ];
};
