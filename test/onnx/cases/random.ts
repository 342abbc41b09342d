// Small foreign models around one random operator, from `x` to `y`, and what they give from the numbers drawn for them.
import type { ForeignModel, ForeignNode } from "../../support/onnx-builder.js";
import { bool, float, one, single } from "./single.js";

/** A model, the kind of numbers that it asks for, and y at one value x for one number n. */
export interface RandomCase {
  readonly model: ForeignModel;
  readonly kind: "normal" | "uniform" | "bernoulli";
  readonly y: (x: number, n: number) => number;
}

/** Numbers of a given shape beside `x`, of whose batch they are. */
const beside = (op: string, attributes: ForeignNode["attributes"]): ForeignModel => ({
  x: [2, 3],
  nodes: [{ op, in: [], attributes: { shape: [2, 3], ...attributes } }],
});
const dropped = { ratio: one(0.75), on: bool(true) };

export const random: Readonly<Record<string, RandomCase>> = {
  RandomNormal: {
    model: beside("RandomNormal", { mean: float(1), scale: float(2) }),
    kind: "normal",
    y: (_, n) => 1 + 2 * n,
  },
  RandomNormalLike: { model: single("RandomNormalLike"), kind: "normal", y: (_, n) => n },
  RandomUniform: {
    model: beside("RandomUniform", { low: float(-1), high: float(3) }),
    kind: "uniform",
    y: (_, n) => 4 * n - 1,
  },
  RandomUniformLike: { model: single("RandomUniformLike"), kind: "uniform", y: (_, n) => n },
  Bernoulli: { model: single("Bernoulli"), kind: "uniform", y: (p, n) => (n < p ? 1 : 0) },
  "Dropout in training mode": {
    model: single("Dropout", {}, { more: ["ratio", "on"], tensors: dropped }),
    kind: "bernoulli",
    y: (x, n) => 4 * x * n,
  },
};
