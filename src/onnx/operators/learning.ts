// scikit-learn's exports (domain ai.onnx.ml): scaling in front, linear scores at the end.
import { check, fail } from "../../base/errors.js";
import { formatShape } from "../../base/shape.js";
import { floats } from "../../base/tensor.js";
import { constant, type Node } from "../../graph/node.js";
import {
  abs,
  add,
  concat,
  div,
  equal,
  matmul,
  mul,
  reduceMax,
  sigmoid,
  softmax,
  sqrt,
  step,
  sub,
  sum,
  where,
} from "../../ops/index.js";
import type { Builder, Call } from "../call.js";
import { take } from "../elements.js";

/** The attribute `name` as a constant vector. */
const vector = (call: Call, name: string): Node => {
  const values = call.floats(name) ?? fail(`attribute '${name}'`, "a list of numbers", "none");
  return constant(floats([values.length], values));
};

/** (x − offset)·scale. */
export const Scaler: Builder = (call) => mul(sub(call.at(0), vector(call, "offset")), vector(call, "scale"));

/** x divided by its norm along the last axis; rows of zeros stay. */
export const Normalizer: Builder = (call) => {
  const x = call.at(0);
  const norm = call.text("norm", "MAX");
  const over = { axes: [x.shape.length - 1], keepDims: true };
  const norms: Readonly<Record<string, () => Node>> = {
    MAX: () => reduceMax(x, over),
    L1: () => sum(abs(x), over),
    L2: () => sqrt(sum(mul(x, x), over)),
  };
  const size =
    norms[norm]?.() ?? fail("attribute 'norm'", "a known norm", norm, Object.keys(norms).join(", "));
  return div(x, where(equal(size, 0), 1, size));
};

/** Columns of the last axis. */
export const ArrayFeatureExtractor: Builder = (call) => {
  const x = call.at(0);
  const { data } = call.numbers(1);
  return take(x, { shape: [data.length], data }, x.shape.length - 1);
};

/** `imputed_value_floats` in place of `replaced_value_float`; NaN, which no image holds, is replaced by nothing. */
export const Imputer: Builder = (call) => {
  const x = call.at(0);
  const missing = call.float("replaced_value_float", 0);
  return Number.isNaN(missing) ? x : where(equal(x, missing), vector(call, "imputed_value_floats"), x);
};

/** 1 where x > threshold, else 0: its gradient vanishes. */
export const Binarizer: Builder = (call) => step(sub(call.at(0), call.float("threshold", 0)));

/** Its inputs side by side. */
export const FeatureVectorizer: Builder = (call) =>
  concat(
    call.values().map((_, i) => call.at(i)),
    1,
  );

/** x·Wᵀ + b of rows of `coefficients`, one for each class or target. */
function scores(call: Call, rows: number): Node {
  const x = call.at(0);
  const coefficients = call.floats("coefficients") ?? [];
  const columns = coefficients.length / rows;
  check(x.shape.length === 2 && x.shape[1] === columns, "input 1", `[batch, ${columns}]`, () =>
    formatShape(x.shape),
  );
  const weights = constant(floats([rows, columns], coefficients));
  const product = matmul(x, weights, { transposeB: true });
  return call.floats("intercepts") === null ? product : add(product, vector(call, "intercepts"));
}

const transforms: Readonly<Record<string, (x: Node) => Node>> = {
  NONE: (x) => x,
  LOGISTIC: sigmoid,
  SOFTMAX: softmax,
};

function transformed(call: Call, x: Node): Node {
  const name = call.text("post_transform", "NONE");
  const transform =
    transforms[name] ??
    fail("attribute 'post_transform'", "a known function", name, Object.keys(transforms).join(", "));
  return transform(x);
}

/** How many classes the node names. */
const classesOf = (call: Call): number =>
  (call.ints("classlabels_ints") ?? call.texts("classlabels_strings") ?? []).length;

/** Scores of classes, transformed; of labels, the first output, none. One score z for two classes is [1 − z, z]. */
export const LinearClassifier: Builder = (call) => {
  const rows = call.floats("intercepts")?.length ?? classesOf(call);
  check(rows >= 1, "LinearClassifier", "1 class or more", () => String(rows));
  const z = transformed(call, scores(call, rows));
  return [undefined, rows === 1 && classesOf(call) === 2 ? concat([sub(1, z), z], 1) : z];
};

/** x·Wᵀ + b, transformed. */
export const LinearRegressor: Builder = (call) => transformed(call, scores(call, call.int("targets", 1)));
