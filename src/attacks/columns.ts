// One number per row beside inputs [n, …]: shaped [n, 1, …], so that it meets every number of its row.
import { B, type Shape } from "../base/shape.js";
import { tensor, type Tensor } from "../base/tensor.js";
import { input, type InputNode, type Node } from "../graph/node.js";
import type { Model } from "../nn/model.js";
import { reshape } from "../ops/reshape.js";
import type { AttackBatch } from "./attack.js";

const columnShape = ({ inputShape }: Model): Shape => [B, ...inputShape.map(() => 1)];

/** An input of one number per row, [n, 1, …] beside inputs [n, …]. */
export const columnInput = (model: Model, name: string): InputNode => input(name, columnShape(model));

/** [n] or [n, 1] → [n, 1, …]. */
export const asColumn = (model: Model, values: Node): Node => reshape(values, columnShape(model));

/** Values of `columnInput`, one per row. */
export const columnOf = ({ inputs }: AttackBatch, values: Float32Array): Tensor =>
  tensor("float32", [values.length, ...inputs.shape.slice(1).map(() => 1)], values);
