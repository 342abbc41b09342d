// Activations: their outputs are the places where noise may be put.
import { fail } from "../../base/errors.js";
import type { Node } from "../../graph/node.js";
import {
  add,
  clip,
  div,
  abs,
  elu,
  erf,
  leakyRelu,
  mul,
  neg,
  relu,
  sigmoid,
  softplus,
  sub,
  tanh,
} from "../../ops/index.js";
import { numberAt, type Builder, type Call } from "../call.js";
import { unaryOperator } from "../combine.js";

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

/** x·Φ(x) = x/2·(1 + erf(x/√2)), or its approximation by tanh (Hendrycks and Gimpel 2016). */
export const Gelu: Builder = (call) => {
  const x = call.at(0);
  const approximate = call.text("approximate", "none");
  const half = mul(x, 0.5);
  if (approximate === "none") return mul(half, add(1, erf(mul(x, Math.SQRT1_2))));
  if (approximate !== "tanh") return fail("attribute 'approximate'", "none or tanh", approximate);
  const cubic = add(x, mul(0.044715, mul(x, mul(x, x))));
  return mul(half, add(1, tanh(mul(Math.sqrt(2 / Math.PI), cubic))));
};

const largest = 3.4028234663852886e38;

/** The bound `name`: an attribute before operator set 11, then input `index`; left out, none. */
function bound(call: Call, name: string, index: number, otherwise: number): number {
  if (call.opset < 11) return call.float(name, otherwise);
  return call.has(index) ? numberAt(call, index) : otherwise;
}

export const Clip: Builder = (call) =>
  clip(call.at(0), bound(call, "min", 1, -largest), bound(call, "max", 2, largest));
