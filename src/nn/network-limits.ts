// How large a network may be: beyond it neither its graph nor its numbers can be held, so it is refused before they are.
import { check } from "../base/errors.js";
import { count, formatShape } from "../base/shape.js";
import { leafLayers, type LayerRecord } from "./model.js";

/** Layers of a network; ResNet-1202, the deepest that was published, has 4,000 with those that have no weights. */
export const mostLayers = 5000;
/** Layers, blocks, cells or rounds that one option of a network may ask for. */
export const mostRepeats = 1000;
/** Numbers of one parameter. */
const mostWeights = 2 ** 31 - 1;
/** Numbers of one value between layers, of one input: of the input itself too. */
const mostActivations = 2 ** 29;

const exact = (n: number): string => n.toLocaleString("en-US");

/** Throws where `layers` are more than a network may have. */
export const checkLayers = (name: string, layers: number): void =>
  check(layers <= mostLayers, name, `at most ${exact(mostLayers)} layers`, () => exact(layers));

/** Throws where there are too many layers, or a parameter or a value between layers has more numbers than can be held. */
export function checkSizes(name: string, inputShape: readonly number[], parts: readonly LayerRecord[]): void {
  const layers = leafLayers(parts);
  checkLayers(name, layers.length);
  const activations = `at most ${exact(mostActivations)} numbers`;
  check(count(inputShape) <= mostActivations, name, `an input of ${activations}`, () =>
    formatShape(inputShape),
  );
  for (const layer of layers) {
    const where = `${name}.${layer.name}`;
    for (const { shape } of layer.parameters)
      check(count(shape) <= mostWeights, where, `weights of at most ${exact(mostWeights)} numbers`, () =>
        formatShape(shape),
      );
    check(count(layer.outputShape) <= mostActivations, where, `an output of ${activations}`, () =>
      formatShape(layer.outputShape),
    );
  }
}
