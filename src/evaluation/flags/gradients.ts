// Doubts about the gradients that attacks follow.
import { percent, type Evidence, type Flag } from "./evidence.js";

export const zeroGradients = ({ gradients }: Evidence): Flag[] =>
  gradients !== null && gradients.zero > 0.01 * gradients.checked
    ? [
        {
          name: "zero-gradients",
          message: `The gradient is zero in every coordinate at ${percent(gradients.zero / gradients.checked)} of ${gradients.checked} images: gradient attacks cannot move them, which looks like robustness and is not.`,
          remedy:
            "Look for steps, rounding, saturation or dead units; judge by attacks without gradients, or transfer.",
        },
      ]
    : [];

export const tinyGradients = ({ gradients }: Evidence): Flag[] =>
  gradients !== null && gradients.tiny > 0.01 * gradients.checked
    ? [
        {
          name: "tiny-gradients",
          message: `At ${percent(gradients.tiny / gradients.checked)} of ${gradients.checked} images the gradient is so small that following it through the whole range of the input would not change the outputs in float32: its direction is noise.`,
          remedy:
            "Look for saturated activations or huge logits; judge by attacks without gradients, or transfer.",
        },
      ]
    : [];
