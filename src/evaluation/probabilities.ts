// Classifiers that give probabilities where logits are expected.
import { log } from "../ops/exponential.js";
import { maximum } from "../ops/extremum.js";
import type { Classifier } from "../nn/model.js";

/** Where a probability has rounded to 0 its logarithm is taken here. */
const smallest = 1e-30;

/** The same classifier with the logarithm of its outputs: log p are logits of p. The classes do not change. */
export const withLogOutputs = ({ model: { origin, ...model }, ...classifier }: Classifier): Classifier => ({
  ...classifier,
  model: { ...model, apply: (x, pass) => log(maximum(model.apply(x, pass), smallest)) },
});
