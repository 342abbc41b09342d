// Classifiers from foreign ONNX files: their weights become parameters, so they can be attacked and hardened.
import { check, TemperError } from "../base/errors.js";
import type { NoiseRequest } from "../base/noise.js";
import { B, formatDim, formatShape, sameDim, type Shape } from "../base/shape.js";
import type { Tensor } from "../base/tensor.js";
import { input, type Node } from "../graph/node.js";
import {
  buildGraph,
  importGraph,
  outputNode,
  scopeOf,
  type BuildOptions,
  type ImportedGraph,
  type ImportOptions,
} from "../onnx/import.js";
import { trailingSoftmax } from "../onnx/logits.js";
import * as activations from "../onnx/operators/activation.js";
import type { OnnxNode } from "../onnx/read.js";
import { rewriteTensors } from "../onnx/rewrite.js";
import { slotsIn, type Slot } from "../onnx/slots.js";
import { broadcastTo, concat, reshape } from "../ops/index.js";
import type { Classifier, Model, Origin, Parameter, Pass, Weights } from "./model.js";
import { noiseInput, noiseValues } from "./noise-inputs.js";
import { readLoss, readRecord, recordKey, writeRecord, type RecordedParameter } from "./parameter-record.js";
import { checkPatterns, chosen } from "./patterns.js";

export const modes = ["eval", "train"] as const;
export type Mode = (typeof modes)[number];

export interface ImportClassifierOptions extends ImportOptions {
  /** Name of the model; default the graph's. */
  readonly name?: string;
  /** Smallest and largest legal input value; default [0, 1]. */
  readonly bounds?: readonly [low: number, high: number];
  /** Patterns (`*` = any text) of tensors to train beyond the weights, biases, scales and shifts. */
  readonly train?: readonly string[];
  /** Patterns of tensors to leave as they are. Where both fit, the one that spells out more letters decides. */
  readonly freeze?: readonly string[];
  /** Whether dropout draws when the classifier is evaluated; default `eval`: only where its node says so. */
  readonly mode?: Mode;
}

/** The part that a tensor in `slot` plays while training. */
function fromSlot(slot: Slot | undefined): RecordedParameter | undefined {
  if (slot === undefined) return undefined;
  return slot === "statistic" ? { role: "other", trainable: false } : { role: slot, trainable: true };
}

/** Builds over a symbolic batch; says so where only the batch size that the file fixes works. */
function firstBuild(graph: ImportedGraph, options: BuildOptions) {
  const build = (batch: Shape[number]) =>
    buildGraph(graph, input(graph.input.name, [batch, ...graph.input.shape]), options);
  try {
    return build(B);
  } catch (error) {
    const { batch } = graph.input;
    if (batch === null || !(error instanceof TemperError)) throw error;
    build(batch);
    throw new TemperError(
      `model: its batch size is fixed at ${batch} and it does not work for others: ${error.message}`,
    );
  }
}

function checkFinite(name: string, { data }: Tensor): void {
  const at = Array.from(data as Float32Array).findIndex((x) => !Number.isFinite(x));
  check(at < 0, `tensor '${name}'`, "finite weights", () => `${String(data[at])} at element ${at}`);
}

/** The tensors that become parameters: those recorded or in a slot, and those that `train` asks for. */
function parametersOf(
  graph: ImportedGraph,
  needed: ReadonlySet<string>,
  { train = [], freeze = [] }: ImportClassifierOptions,
): Parameter[] {
  const slots = slotsIn(graph);
  const names = [...graph.tensors].flatMap(([name, { dtype }]) =>
    dtype === "float32" && !needed.has(name) ? [name] : [],
  );
  checkPatterns("train", train, names.map(parameterName));
  checkPatterns("freeze", freeze, names.map(parameterName));
  const recorded = readRecord(graph.metadata);
  return names.flatMap((name) => {
    const parameter = recorded.get(name) ?? fromSlot(slots.get(name));
    const trainable = chosen(parameterName(name), { yes: train, no: freeze }, parameter?.trainable ?? false);
    const { shape = [] } = graph.tensors.get(name) ?? {};
    const role = parameter?.role ?? "other";
    return parameter === undefined && !trainable
      ? []
      : [{ name: parameterName(name), shape, role, trainable }];
  });
}

/** What is random about the model, and what its mode means. */
function modeNotes({ nodes }: ImportedGraph, draws: readonly NoiseRequest[], mode: Mode = "eval"): string[] {
  const having = (operator: string): boolean => nodes.some((node) => node.operator === operator);
  const inTraining = mode === "train";
  check(
    !inTraining || having("Dropout"),
    "mode train",
    "a file with Dropout nodes",
    () => "none: nothing would draw (networks that Temper writes hold none)",
  );
  const names = draws.map(({ name }) => name).join(", ");
  return [
    ...(draws.length > 0 ? [`draws random numbers for each image: ${names}`] : []),
    ...(inTraining ? ["mode train: dropout draws its masks"] : []),
    ...(inTraining && having("BatchNormalization")
      ? [
          "mode train: batch normalisation keeps its running statistics, since those of a batch would make an image's result depend on its neighbours",
        ]
      : []),
  ];
}

/** Names of hidden activations by node: that of its layer or its own where it is unique, else of its output. */
function sitesOf({ nodes, input: { name: x } }: ImportedGraph): ReadonlyMap<OnnxNode, string> {
  const found = nodes.filter(({ operator, inputs }) => operator in activations && inputs[0] !== x);
  const own = (node: OnnxNode): string => scopeOf(node) || node.name;
  const isUnique = (name: string): boolean => found.filter((node) => own(node) === name).length === 1;
  return new Map(found.map((node) => [node, isUnique(own(node)) ? own(node) : (node.outputs[0] ?? "")]));
}

/**
 * [batch, classes] of what the file puts out; axes of size 1 behind the classes are dropped. One column z is the
 * logits [0, z] of two classes: softmax gives the second one sigmoid(z).
 */
function logitsOf(output: Node, batch: Shape[number], name: string): Node {
  const [rows = 1, classes = 1, ...rest] = output.shape;
  const valid =
    output.shape.length >= 2 &&
    sameDim(rows, batch) &&
    typeof classes === "number" &&
    rest.every((d) => d === 1);
  check(valid, `output '${name}'`, "logits [batch, classes]", () => formatShape(output.shape));
  check(typeof classes === "number" && classes >= 1, `output '${name}'`, "1 class or more", () =>
    formatDim(classes),
  );
  const logits = reshape(output, [rows, classes]);
  return classes === 1 ? concat([broadcastTo(0, [rows, 1]), logits], 1) : logits;
}

/** Names that Temper's files give to values of their own. */
const isTaken = (name: string): boolean => /^[cv]\d+$/.test(name);

/** The parameter that holds the tensor `name`. */
const parameterName = (name: string): string => (isTaken(name) ? `${name}.value` : name);

/** The file `bytes`, in which `parameters` of `graph` may get other values. */
function originOf(
  bytes: Uint8Array,
  { tensors }: ImportedGraph,
  parameters: readonly Parameter[],
  external: ImportOptions["external"],
): Origin {
  const named = [...tensors].flatMap(([name, { stored }]) => {
    const parameter = parameters.find((each) => each.name === parameterName(name));
    return parameter === undefined ? [] : [{ name, stored, parameter }];
  });
  const trained = named.filter(({ parameter }) => parameter.trainable);
  const record = writeRecord({
    parameters: named.map(({ name, parameter }) => ({ ...parameter, name })),
    buffers: [],
  });
  return {
    rounded: trained.flatMap(({ stored, parameter: { name } }) =>
      stored === "float16" || stored === "bfloat16" ? [`${name} (${stored})`] : [],
    ),
    write: (weights, metadata) => {
      const values = trained.flatMap(({ name, parameter }) => {
        const value = weights[parameter.name];
        return value === undefined ? [] : [[name, value] as const];
      });
      const all = { ...metadata, [recordKey]: record };
      return rewriteTensors(bytes, Object.fromEntries(values), { metadata: all, external });
    },
  };
}

/** The file's own names for input and output, where they can be kept; without its softmax the output is another. */
function namesOf({ input: { name: x }, output }: ImportedGraph, isWhole: boolean): Pick<Model, "io"> {
  const names = { input: x, output: isWhole ? output : "logits" };
  return isTaken(names.input) || isTaken(names.output) || names.input === names.output ? {} : { io: names };
}

/**
 * The classifier in the bytes of an ONNX file. Trainable are weights and biases of Conv, Gemm and MatMul/Add, scale
 * and shift of batch-norm; batch-norm's statistics stay frozen and are used while training too, dropout is left out,
 * and so is a softmax or sigmoid at the end; one column z is read as [0, z]. Temper's own files say themselves what
 * trains. Random operators ask the host for their numbers, [batch, …] each. `notes` say what was decided about the file. Throws one line where it cannot be used.
 */
export function importClassifier(
  bytes: Uint8Array,
  options: ImportClassifierOptions = {},
): { classifier: Classifier; notes: string[] } {
  const graph = importGraph(bytes, options);
  const notes = new Set(graph.notes);
  const needed = new Set<string>();
  const draws = new Map<string, NoiseRequest>();
  const dropsOut = options.mode === "train";
  const values = firstBuild(graph, {
    dropsOut,
    draw: (request) => {
      // Rows that are no images, as where heads or tokens have joined the batch, would share their draws.
      check(sameDim(request.shape[0] ?? 1, B), "random numbers", "a shape [batch, …]", () =>
        formatShape(request.shape),
      );
      draws.set(request.name, request);
      return noiseValues(noiseInput(request).input);
    },
    note: (text) => notes.add(text),
    readStatically: (name) => needed.add(name),
  });
  for (const note of modeNotes(graph, [...draws.values()], options.mode)) notes.add(note);
  const { replaced, notes: skipped } = trailingSoftmax(graph, values);
  const parameters = parametersOf(graph, needed, options);
  const sites = sitesOf(graph);
  const inputs = new Set(parameters.map(({ name }) => name));
  const apply = (x: Node, pass: Pass): Node => {
    const built = buildGraph(graph, x, {
      replaced,
      dropsOut,
      draw: (request) => pass.noise.draw(request),
      value: (name) => (inputs.has(parameterName(name)) ? pass.value(parameterName(name)) : undefined),
      visit: (node, value) => {
        const site = sites.get(node);
        return site === undefined || value.kind === "known" ? value : pass.site(site, value);
      },
    });
    return logitsOf(outputNode(built, graph.output), x.shape[0] ?? 1, graph.output);
  };
  const weights: Weights = Object.fromEntries(
    [...graph.tensors].flatMap(([name, { dtype, shape, data }]) =>
      inputs.has(parameterName(name)) ? [[parameterName(name), { dtype, shape, data }]] : [],
    ),
  );
  const [low, high] = options.bounds ?? [0, 1];
  check(low < high, "bounds", "low < high", () => `${low} and ${high}`);
  for (const [name, value] of Object.entries(weights)) checkFinite(name, value);
  const output = outputNode(values, graph.output);
  const logits = logitsOf(output, B, graph.output);
  const isOneColumn = output.shape[1] === 1;
  if (isOneColumn)
    notes.add(`output '${graph.output}' has one column z: read as the logits [0, z] of two classes`);
  const model: Model = {
    name: options.name ?? (graph.name || "imported"),
    inputShape: graph.input.shape,
    classes: Number(logits.shape[1]),
    parameters,
    buffers: [],
    sites: [...sites.values()],
    initialize: () => weights,
    apply,
    ...readLoss(graph.metadata),
    origin: originOf(bytes, graph, parameters, options.external),
    ...(draws.size > 0 && { draws: [...draws.values()] }),
    ...namesOf(graph, replaced.size === 0 && !isOneColumn),
  };
  return {
    classifier: { model, weights, bounds: [low, high] },
    notes: [...notes, ...skipped],
  };
}
