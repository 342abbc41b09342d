// Random numbers: drawn by the host for each image, so that results depend on its seed alone.
import { fail } from "../../base/errors.js";
import { formatShape, type Shape } from "../../base/shape.js";
import type { Node } from "../../graph/node.js";
import { add, cast, less, mul } from "../../ops/index.js";
import { shapeOf } from "../value.js";
import type { Builder, Call } from "../call.js";

/** mean + scale·n with n standard normal. */
const normal = (call: Call, shape: Shape): Node =>
  add(mul(call.draw({ shape, kind: "normal" }), call.float("scale", 1)), call.float("mean", 0));

/** Uniform in [low, high). */
function uniform(call: Call, shape: Shape): Node {
  const [low, high] = [call.float("low", 0), call.float("high", 1)];
  return add(mul(call.draw({ shape, kind: "uniform" }), high - low), low);
}

/** The attribute `shape`, the file's fixed batch in front as the batch. */
function shapeGiven(call: Call): Shape {
  const [first, ...rest] = call.ints("shape") ?? fail("attribute 'shape'", "sizes", "none");
  const { fixedBatch } = call;
  if (first === undefined || fixedBatch === null || first !== fixedBatch.fixed)
    return fail("random numbers", "a shape [batch, …]", formatShape(call.ints("shape") ?? []));
  return [fixedBatch.size, ...rest];
}

export const RandomNormal: Builder = (call) => normal(call, shapeGiven(call));
export const RandomNormalLike: Builder = (call) => normal(call, shapeOf(call.value(0)));
export const RandomUniform: Builder = (call) => uniform(call, shapeGiven(call));
export const RandomUniformLike: Builder = (call) => uniform(call, shapeOf(call.value(0)));

/** 1 with the probability that the input says, else 0. */
export const Bernoulli: Builder = (call) => {
  const p = call.at(0);
  return cast(less(call.draw({ shape: p.shape, kind: "uniform" }), p), "float32");
};
