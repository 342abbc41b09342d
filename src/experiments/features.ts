// First-layer weights as small images.
import { count } from "../base/shape.js";
import type { Classifier } from "../nn/model.js";
import type { Gallery } from "./run-record.js";

const most = 64;

/** Row `unit` of a weight stored [units, inputs], or column `unit` of one stored [inputs, units]. */
function patternOf(
  data: Float32Array,
  unit: number,
  units: number,
  inputs: number,
  byRow: boolean,
): Float32Array {
  if (byRow) return data.slice(unit * inputs, (unit + 1) * inputs);
  return Float32Array.from({ length: inputs }, (_, i) => data[i * units + unit] ?? 0);
}

/**
 * What the first units of the first layer look for, as [units, height, width]: whole images for a dense layer,
 * patches for a convolution; the mean over colour channels. Null where the first weight is neither.
 */
export function firstLayerFeatures({ model, weights }: Classifier): Gallery["features"] {
  const first = model.parameters.find((parameter) => parameter.role === "weight");
  const data = first && weights[first.name]?.data;
  if (!first || !(data instanceof Float32Array)) return null;
  const [channels = 1, height = 1, width = 1] = model.inputShape;
  const [a = 1, b = 1, ...kernel] = first.shape;
  const isConvolution = kernel.length === 2 && b === channels;
  const inputs = isConvolution ? b * count(kernel) : count(model.inputShape);
  if (!isConvolution && a !== inputs && b !== inputs) return null;
  const byRow = isConvolution || b === inputs;
  const [h = 1, w = 1] = isConvolution ? kernel : [height, width];
  const units = byRow ? a : b;
  const shown = Math.min(units, most);
  const values = new Float32Array(shown * h * w);
  for (let unit = 0; unit < shown; unit++) {
    const pattern = patternOf(data, unit, units, inputs, byRow);
    for (let i = 0; i < pattern.length; i++) {
      const at = unit * h * w + (i % (h * w));
      values[at] = (values[at] ?? 0) + (pattern[i] ?? 0) / channels;
    }
  }
  return { shape: [shown, h, w], values, total: units };
}
