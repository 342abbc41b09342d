// Operators that a classifier may hold but that Temper does not take, and why.
const random = "its noise cannot be seeded; export the model without random operators";
const control = "control flow cannot be differentiated here; export the model without it";

/** Why an operator is refused, by its name. */
export const refusals: Readonly<Record<string, string>> = {
  RandomNormal: random,
  RandomNormalLike: random,
  RandomUniform: random,
  RandomUniformLike: random,
  Bernoulli: random,
  Multinomial: random,
  If: control,
  Loop: control,
  Scan: control,
};
