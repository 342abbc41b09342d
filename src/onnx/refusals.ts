// Operators that a classifier may hold but that Temper does not take, and why.
const random = "its draws have no gradient; export the model without it";
const control = "control flow cannot be differentiated here; export the model without it";

/** Why an operator is refused, by its name. */
export const refusals: Readonly<Record<string, string>> = {
  Multinomial: random,
  If: control,
  Loop: control,
  Scan: control,
};
