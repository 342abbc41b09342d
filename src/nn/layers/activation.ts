// Activations: the layers whose outputs are sites.
import { sigmoid, tanh } from "../../ops/activation.js";
import { relu } from "../../ops/piecewise.js";
import { plain, type Layer } from "./layer.js";

/** Activations by name. */
export const activations = { relu, tanh, sigmoid } as const;
export type ActivationName = keyof typeof activations;
export const activationNames = Object.keys(activations) as ActivationName[];

/** An activation; its output is a site for noise. */
export const activation = (kind: ActivationName): Layer => ({
  kind,
  build: (name, inputShape) => ({
    ...plain,
    outputShape: inputShape,
    sites: [name],
    apply: (x, pass) => pass.site(name, activations[kind](x)),
  }),
});
