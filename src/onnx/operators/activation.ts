// Activations: their outputs are the places where noise may be put.
import { fail } from "../../base/errors.js";
import type { Node } from "../../graph/node.js";
import {
  add,
  clip,
  div,
  abs,
  elu,
  greater,
  leakyRelu,
  less,
  mul,
  neg,
  relu,
  sigmoid,
  softplus,
  sub,
  tanh,
  where,
} from "../../ops/index.js";
import { numberAt, type Builder, type Call } from "../call.js";
import { unaryOperator } from "../combine.js";
import { geluByErf, geluByTanh } from "../gelu.js";

export const Relu = unaryOperator(relu);
export const Tanh = unaryOperator(tanh);
export const Sigmoid = unaryOperator(sigmoid);
export const Softplus = unaryOperator(softplus);
export const Softsign = unaryOperator((x) => div(x, add(1, abs(x))));
export const Mish = unaryOperator((x) => mul(x, tanh(softplus(x))));
export const LeakyRelu: Builder = (call) => leakyRelu(call.at(0), call.float("alpha", 0.01));
export const Elu: Builder = (call) => elu(call.at(0), call.float("alpha", 1));

/** γ·(x where x > 0, else α·(eˣ − 1)) (Klambauer et al. 2017). */
export const Selu: Builder = (call) =>
  mul(call.float("gamma", 1.0507009873554805), elu(call.at(0), call.float("alpha", 1.6732632423543772)));

/** α·elu(x/α). */
export const Celu: Builder = (call) => {
  const alpha = call.float("alpha", 1);
  return mul(alpha, elu(div(call.at(0), alpha), 1));
};

/** x where x > 0, else slope·x. */
export const PRelu: Builder = (call) => sub(relu(call.at(0)), mul(call.at(1), relu(neg(call.at(0)))));

const hardSigmoid = (x: Node, alpha: number, beta: number): Node => clip(add(mul(x, alpha), beta), 0, 1);
export const HardSigmoid: Builder = (call) =>
  hardSigmoid(call.at(0), call.float("alpha", 0.2), call.float("beta", 0.5));
export const HardSwish: Builder = (call) => mul(call.at(0), hardSigmoid(call.at(0), 1 / 6, 0.5));

/** x·sigmoid(αx). */
export const Swish: Builder = (call) => mul(call.at(0), sigmoid(mul(call.at(0), call.float("alpha", 1))));

export const Gelu: Builder = (call) => {
  const approximate = call.text("approximate", "none");
  if (approximate === "none") return geluByErf(call.at(0));
  return approximate === "tanh"
    ? geluByTanh(call.at(0))
    : fail("attribute 'approximate'", "none or tanh", approximate);
};

/** x where x > α, else 0. */
export const ThresholdedRelu: Builder = (call) =>
  where(greater(call.at(0), call.float("alpha", 1)), call.at(0), 0);

/** x − bias where x > λ, x + bias where x < −λ, else 0. */
export const Shrink: Builder = (call) => {
  const [x, bias, lambda] = [call.at(0), call.float("bias", 0), call.float("lambd", 0.5)];
  const above = where(greater(x, lambda), sub(x, bias), 0);
  return where(less(x, -lambda), add(x, bias), above);
};

const largest = 3.4028234663852886e38;

/** The bound `name`: an attribute before operator set 11, then input `index`; left out, none. */
function bound(call: Call, name: string, index: number, otherwise: number): number {
  if (call.opset < 11) return call.float(name, otherwise);
  return call.has(index) ? numberAt(call, index) : otherwise;
}

/** Where the bounds cross, the upper one counts. */
export const Clip: Builder = (call) => {
  const [low, high] = [bound(call, "min", 1, -largest), bound(call, "max", 2, largest)];
  return clip(call.at(0), Math.min(low, high), high);
};
