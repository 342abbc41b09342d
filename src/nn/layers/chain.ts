// Layers in a row: names by kind and running number, and one layer made of all.
import { scope } from "../../graph/node.js";
import type { BuiltLayer, Layer, NamedLayer } from "./layer.js";

/** Gives each layer its name behind `prefix`: the kind and a running number. */
export type Naming = (kind: string) => string;

export function numbered(prefix: string): Naming {
  const counts = new Map<string, number>();
  return (kind) => {
    const number = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, number);
    return `${prefix}${kind}${number}`;
  };
}

/** The rules between epochs of all `parts` as one; nothing where none has any. */
function rulesOf(parts: readonly NamedLayer[]): Pick<BuiltLayer, "betweenEpochs"> {
  const rules = parts.flatMap(({ betweenEpochs }) => (betweenEpochs ? [betweenEpochs] : []));
  if (rules.length === 0) return {};
  return {
    betweenEpochs: (weights, progress) =>
      Object.fromEntries(rules.flatMap((rule) => Object.entries(rule(weights, progress)))),
  };
}

/** What layers of a network have together. */
export const combined = (parts: readonly NamedLayer[]): Omit<BuiltLayer, "outputShape" | "apply"> => ({
  parts,
  ...rulesOf(parts),
  parameters: parts.flatMap((layer) => layer.parameters),
  buffers: parts.flatMap((layer) => layer.buffers),
  sites: parts.flatMap((layer) => layer.sites),
  initialize: (seed) => Object.fromEntries(parts.flatMap((layer) => Object.entries(layer.initialize(seed)))),
});

/** Each layer fed by the one before. */
export function chain(
  layers: readonly Layer[],
  inputShape: readonly number[],
  naming: Naming,
): BuiltLayer & { readonly parts: readonly NamedLayer[] } {
  let outputShape = inputShape;
  const parts = layers.map((layer): NamedLayer => {
    const name = naming(layer.kind);
    const built = layer.build(name, outputShape);
    outputShape = built.outputShape;
    return { ...built, name };
  });
  return {
    ...combined(parts),
    parts,
    outputShape,
    apply: (x, pass) =>
      parts.reduce((current, layer) => {
        const apply = (): typeof x => layer.apply(current, pass);
        // Parts carry whole names as their scopes, so that sites keep their names through an exported file.
        return layer.parts ? apply() : scope(layer.name, apply);
      }, x),
  };
}
