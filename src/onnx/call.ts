// One ONNX node as its builder sees it: values in, attributes with defaults.
import { check, fail } from "../base/errors.js";
import type { NoiseRequest } from "../base/noise.js";
import { formatShape, type Dim, type Shape } from "../base/shape.js";
import { toNumbers } from "../base/tensor.js";
import type { Node } from "../graph/node.js";
import type { StoredTensor } from "./read-tensor.js";
import type { AttributeValue, OnnxNode } from "./read.js";
import { asFloat, fold, known, staticData, type Known, type Value } from "./value.js";

/** Numbers that are known when the model is imported. */
export interface Numbers {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** A batch of `fixed` images in the file, of `size` in the graph that is built. */
export interface FixedBatch {
  readonly fixed: number;
  readonly size: Dim;
}

/** What a builder may ask about its node. Inputs are counted from 0; errors get the node's name in front. */
export interface Call {
  readonly node: OnnxNode;
  readonly opset: number;
  /** The batch, where the file fixes its size; else null. */
  readonly fixedBatch: FixedBatch | null;
  /** Whether input `index` is given. */
  has(index: number): boolean;
  value(index: number): Value;
  /** Every input. */
  values(): readonly Value[];
  /** Input `index` as a node: known numbers become float32. */
  at(index: number): Node;
  /** The element type of the file's tensor that is input `index` (`int8`, …), or null where it is none. */
  stored(index: number): string | null;
  /** Input `index` as numbers. */
  numbers(index: number): Numbers;
  /** Input `index` as sizes, which may depend on the batch. */
  sizes(index: number): Shape;
  int(name: string, otherwise: number): number;
  float(name: string, otherwise: number): number;
  text(name: string, otherwise: string): string;
  /** A list of whole numbers, or null where it is absent. */
  ints(name: string): readonly number[] | null;
  /** A list of numbers, or null where it is absent. */
  floats(name: string): readonly number[] | null;
  /** A list of texts, or null where it is absent. */
  texts(name: string): readonly string[] | null;
  tensor(name: string): StoredTensor | null;
  /** Random numbers [batch, …] that the host draws for each image, named after the node. */
  draw(request: Omit<NoiseRequest, "name">): Node;
  /** Whether dropout draws though its node does not say so. */
  readonly dropsOut: boolean;
  /** Tells the user about a choice that was made. */
  note(text: string): void;
}

/** Writes one ONNX operator in Temper's graph: one value, or one per output, undefined where it is not computed. */
export type Builder = (call: Call) => Value | readonly (Value | undefined)[];

export interface CallContext {
  readonly opset: number;
  readonly fixedBatch: FixedBatch | null;
  note(text: string): void;
  /** Answers what random operators ask; null where nobody draws. */
  readonly draw: ((request: NoiseRequest) => Node) | null;
  readonly dropsOut: boolean;
  /** Told of nodes whose values were needed when the model was imported. */
  readStatically(node: Node): void;
}

const isTensor = (value: AttributeValue): value is StoredTensor =>
  typeof value === "object" && "dtype" in value;
const isNumbers = (value: AttributeValue): value is readonly number[] =>
  Array.isArray(value) && value.every((x) => typeof x === "number");

/** Input `index` in words. */
const place = (index: number): string => `input ${index + 1}`;

/** The attribute `name` where `accepts` takes it, null where it is absent. */
function attribute<T extends AttributeValue>(
  { attributes }: OnnxNode,
  name: string,
  expected: string,
  accepts: (value: AttributeValue) => value is T,
): T | null {
  const value = attributes[name];
  if (value === undefined) return null;
  return accepts(value) ? value : fail(`attribute '${name}'`, expected, typeof value);
}

const isTexts = (value: AttributeValue): value is readonly string[] =>
  Array.isArray(value) && value.every((x) => typeof x === "string");
const isNumber = (value: AttributeValue): value is number => typeof value === "number";
const isText = (value: AttributeValue): value is string => typeof value === "string";

/** The call of `node` on `inputs`. */
export function callOf(node: OnnxNode, inputs: readonly (Value | undefined)[], context: CallContext): Call {
  const value = (index: number): Value =>
    inputs[index] ??
    fail(place(index), "a value", inputs.length > index ? "none" : `${inputs.length} inputs`);
  const knownAt = (index: number): Known => {
    const given = value(index);
    if (given.kind === "known") return given;
    context.readStatically(given);
    const folded = fold(given);
    if (folded === null)
      return fail(place(index), "numbers known when the model is imported", "a value that is computed");
    return known(folded.dtype, folded.shape, Array.from(toNumbers(folded)));
  };
  return {
    node,
    opset: context.opset,
    fixedBatch: context.fixedBatch,
    has: (index) => inputs[index] !== undefined,
    value,
    values: () => inputs.map((_, index) => value(index)),
    at: (index) => asFloat(value(index)),
    stored: (index) => {
      const given = value(index);
      return given.kind === "known" ? (given.stored ?? null) : null;
    },
    numbers: (index) => {
      const found = knownAt(index);
      return { shape: found.shape, data: staticData(place(index), found) };
    },
    sizes: (index) => {
      const { shape, data } = knownAt(index);
      check(shape.length <= 1, place(index), "a vector of sizes", () => `a tensor of rank ${shape.length}`);
      return data;
    },
    int: (name, otherwise) => attribute(node, name, "a number", isNumber) ?? otherwise,
    float: (name, otherwise) => attribute(node, name, "a number", isNumber) ?? otherwise,
    text: (name, otherwise) => attribute(node, name, "a text", isText) ?? otherwise,
    ints: (name) => attribute(node, name, "a list of numbers", isNumbers),
    floats: (name) => attribute(node, name, "a list of numbers", isNumbers),
    texts: (name) => attribute(node, name, "a list of texts", isTexts),
    tensor: (name) => attribute(node, name, "a tensor", isTensor),
    draw: (request) => {
      const [rows = 1, ...rest] = request.shape;
      const batch = typeof rows !== "number" && rows.plus === 0 && rest.every((d) => typeof d === "number");
      check(batch, "random numbers", "a shape [batch, …]", () => formatShape(request.shape));
      if (context.draw === null) return fail("random numbers", "a host that draws them", "none");
      return context.draw({ ...request, name: node.outputs[0] ?? node.name });
    },
    dropsOut: context.dropsOut,
    note: (text) => context.note(text),
  };
}

/** The only element of input `index`. */
export function numberAt(call: Call, index: number): number {
  const { data } = call.numbers(index);
  return data.length === 1 ? (data[0] ?? 0) : fail(place(index), "one number", String(data.length));
}

/** Axes given as input `index` or, in older operator sets, as an attribute; null where they are left open. */
export function axesOf(call: Call, index = 1, name = "axes"): readonly number[] | null {
  return call.has(index) ? call.numbers(index).data : call.ints(name);
}
