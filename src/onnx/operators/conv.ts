// Convolution, in one and two dimensions.
import { add, conv, reshape } from "../../ops/index.js";
import type { Builder } from "../call.js";
import { spatialSizes, windowOf } from "../window.js";

export const Conv: Builder = (call) => {
  const [x, w] = [call.at(0), call.at(1)];
  const spatial = spatialSizes(x.shape);
  const window = windowOf(call, spatial, w.shape.slice(2).map(Number));
  const y = conv(x, w, { ...window, groups: call.int("group", 1) });
  if (!call.has(2)) return y;
  const bias = call.at(2);
  return add(y, reshape(bias, [bias.shape[0] ?? 1, ...spatial.map(() => 1)]));
};
