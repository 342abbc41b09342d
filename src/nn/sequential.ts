// A model from a list of layers, each fed by the one before.
import { check, fail, TemperError } from "../base/errors.js";
import { formatShape } from "../base/shape.js";
import { chain, numbered } from "./layers/chain.js";
import type { Layer } from "./layers/layer.js";
import type { Model } from "./model.js";
import { checkLayers, checkSizes } from "./network-limits.js";
import { smallestSide } from "./smallest-image.js";

/** What an option of a network chooses where that decides how small images may be, as it is written: `stem=299`. */
export interface Choice {
  readonly chosen: string;
  /** The layers of the other choices. */
  readonly others: Readonly<Record<string, readonly Layer[]>>;
}

type Chain = ReturnType<typeof chain>;

const chained = (layers: readonly Layer[], inputShape: readonly number[]): Chain =>
  chain(layers, inputShape, numbered(""));

/** The smallest image that the network takes and its other choices do, where that is what `error` is about; else throws it. */
function failSmall(
  error: unknown,
  name: string,
  inputShape: readonly number[],
  layers: readonly Layer[],
  choice: Choice | undefined,
): never {
  const least = (all: readonly Layer[]): number | null =>
    smallestSide((shape) => chained(all, shape), inputShape);
  const sides = inputShape.slice(1);
  const side = error instanceof TemperError ? least(layers) : null;
  if (side === null || sides.every((own) => own >= side)) throw error;
  const others = Object.entries(choice?.others ?? {}).map(([option, all]) => {
    const other = least(all) ?? side;
    return `${option} from ${other}×${other} on`;
  });
  const by = choice ? ` with ${choice.chosen}` : "";
  return fail(name, `images of at least ${side}×${side}${by}`, sides.join("×"), others.join(", "));
}

/**
 * The network `layers` over inputs [n, ...inputShape]; its last layer's outputs are the logits. Layers are called by
 * kind and running number: dense1, relu1, dense2 … Throws where an image is too small, or the network beyond limits.
 */
export function sequential(
  name: string,
  inputShape: readonly number[],
  layers: readonly Layer[],
  choice?: Choice,
): Model {
  checkLayers(name, layers.length);
  const built = (): Chain => {
    try {
      return chained(layers, inputShape);
    } catch (error) {
      return failSmall(error, name, inputShape, layers, choice);
    }
  };
  const { outputShape, parts, ...rest } = built();
  checkSizes(name, inputShape, parts);
  check(outputShape.length === 1, name, "a flat output", () => formatShape(outputShape));
  return { ...rest, name, inputShape, classes: outputShape[0] ?? 0, layers: parts };
}
