// Normalisation and dropout, as they are in inference: running statistics, nothing dropped.
import { fail } from "../../base/errors.js";
import { resolveAxis } from "../../base/shape.js";
import type { Node } from "../../graph/node.js";
import { add, div, mean, mul, reshape, sqrt, sub } from "../../ops/index.js";
import { numberAt, type Builder, type Call } from "../call.js";

const refuseTraining = (what: string): never =>
  fail(what, "inference", "training mode: export the model in inference mode");

/** [C] as [C, 1, …], to stand beside [N, C, …]. */
const perChannel = (v: Node, x: Node): Node =>
  reshape(v, [v.shape[0] ?? 1, ...x.shape.slice(2).map(() => 1)]);

/** x·s + (shift − mean·s) with s = scale/√(variance + ε), per channel. */
export const BatchNormalization: Builder = (call) => {
  const x = call.at(0);
  const outputs = call.node.outputs.filter((name) => name !== "").length;
  if (call.int("training_mode", 0) !== 0 || outputs > 1) refuseTraining("batch normalisation");
  if (call.int("spatial", 1) === 0) fail("attribute 'spatial'", "1", "0");
  const [scale, shift, mu, variance] = [call.at(1), call.at(2), call.at(3), call.at(4)];
  const s = div(scale, sqrt(add(variance, call.float("epsilon", 1e-5))));
  return add(mul(x, perChannel(s, x)), perChannel(sub(shift, mul(mu, s)), x));
};

/** (x − μ)/√(σ² + ε) over `axes`. */
function normalized(x: Node, axes: readonly number[], epsilon: number): Node {
  const centred = sub(x, mean(x, { axes, keepDims: true }));
  return div(centred, sqrt(add(mean(mul(centred, centred), { axes, keepDims: true }), epsilon)));
}

export const InstanceNormalization: Builder = (call) => {
  const x = call.at(0);
  const axes = x.shape.slice(2).map((_, i) => i + 2);
  const y = normalized(x, axes, call.float("epsilon", 1e-5));
  return add(mul(y, perChannel(call.at(1), x)), perChannel(call.at(2), x));
};

export const LayerNormalization: Builder = (call) => {
  const x = call.at(0);
  const first = resolveAxis("axis", call.int("axis", -1), x.shape.length);
  const axes = x.shape.flatMap((_, i) => (i < first ? [] : [i]));
  const y = mul(normalized(x, axes, call.float("epsilon", 1e-5)), call.at(1));
  return call.has(2) ? add(y, call.at(2)) : y;
};

const trains = (call: Call): boolean => call.has(2) && numberAt(call, 2) !== 0;

export const Dropout: Builder = (call) => (trains(call) ? refuseTraining("dropout") : call.value(0));
