// Lowers nodes into one ONNX graph: names values, shares constants, computes batch-dependent shapes on demand.
import { check } from "../base/errors.js";
import { isStatic, type Shape } from "../base/shape.js";
import { fromNumbers, type DType, type Tensor } from "../base/tensor.js";
import { topological } from "../graph/function.js";
import type { Node } from "../graph/node.js";
import { anyRuntime, type Emitter, type OnnxAttribute, type Target } from "../graph/op.js";
import type { GraphProto, NodeProto, TensorProto } from "./generated/onnx_pb.js";
import { nodeProto, onnxType, tensorProto } from "./proto.js";

/** Constants of a model; nested graphs use those of the outermost one. */
export class Constants {
  readonly initializers: TensorProto[] = [];
  readonly #names = new Map<string | Tensor, string>();

  /** `prefix` keeps the names of a nested graph's constants apart from those outside. */
  constructor(private readonly prefix = "") {}

  /** A constant under a name of its own: a weight. */
  addNamed(name: string, value: Tensor): void {
    this.initializers.push(tensorProto(name, value));
  }

  /** The name of a constant equal to `value`; small ones are compared by content. */
  add(value: Tensor): string {
    const small = value.data.length <= 64;
    const key = small
      ? `${value.dtype} ${value.shape.join()} ${[...value.data].map((x) => (Object.is(x, -0) ? "-0" : String(x))).join()}`
      : value;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const name = `${this.prefix}c~${this.#names.size}`;
    this.#names.set(key, name);
    this.initializers.push(tensorProto(name, value));
    return name;
  }
}

type NodeAttributes = Readonly<Record<string, OnnxAttribute | GraphProto>>;

/** Where the batch size can be read: `value`'s axis holds scale·B. */
interface BatchSource {
  readonly value: string;
  readonly axis: number;
  readonly scale: number;
}

/** An ONNX node that was written, and the node of the graph that it came of (null for copies and slices). */
export interface Written {
  readonly name: string;
  readonly scope: string;
  readonly outputs: readonly string[];
  readonly node: Node | null;
}

export interface WriterOptions {
  /** What runs the file; default any ONNX runtime. */
  readonly target?: Target;
  /** Told of every ONNX node: what a profile needs to say where a kernel comes from. */
  readonly onWritten?: (written: Written) => void;
}

/** Writes nodes into one graph. `prefix` keeps the names of nested graphs apart from those outside. */
export class GraphWriter implements Emitter {
  readonly target: Target;
  readonly nodeProtos: NodeProto[] = [];
  readonly #names = new Map<Node, string>();
  readonly #shared = new Map<string, string>();
  #batch: BatchSource | null = null;
  #scope = "";
  #node: Node | null = null;
  #next = 0;

  constructor(
    readonly constants: Constants,
    readonly prefix = "",
    private readonly options: WriterOptions = {},
  ) {
    this.target = options.target ?? anyRuntime;
  }

  /** Declares that `node` is already computed under `name`. */
  bind(node: Node, name: string): void {
    this.#names.set(node, name);
    const axis = node.shape.findIndex((d) => typeof d !== "number" && d.plus === 0);
    const d = node.shape[axis];
    if (this.#batch === null && d !== undefined && typeof d !== "number")
      this.#batch = { value: name, axis, scale: d.batch };
  }

  /** Lowers everything `roots` need and returns their names. */
  write(roots: readonly Node[]): string[] {
    // What an operation is written in instead belongs to its scope.
    const outer = this.#scope;
    for (const node of topological(roots, this.#names.keys())) {
      [this.#scope, this.#node] = [node.scope || outer, node];
      this.#names.set(node, this.#lower(node));
    }
    this.#scope = outer;
    return roots.map((node) => this.#nameOf(node));
  }

  /**
   * Writes the outputs, each under its own name, and nothing after them. A value computed here takes the name of the
   * output; it is copied only where it has one already.
   */
  finish(outputs: readonly (readonly [name: string, node: Node])[]): void {
    const values = this.write(outputs.map(([, node]) => node));
    const computed = new Set(this.nodeProtos.flatMap((proto) => proto.output));
    const renamed = new Map<string, string>();
    const copies = outputs.filter(([name], i) => {
      const value = values[i] ?? "";
      if (!computed.has(value) || renamed.has(value)) return true;
      renamed.set(value, name);
      return false;
    });
    const current = (value: string): string => renamed.get(value) ?? value;
    for (const proto of this.nodeProtos) {
      proto.input = proto.input.map(current);
      proto.output = proto.output.map(current);
    }
    this.enter("outputs");
    for (const [name, node] of copies) this.push("Identity", [current(this.#nameOf(node))], [name]);
  }

  /** Names what `push` and `node` add on their own from now on. */
  enter(scope: string): void {
    [this.#scope, this.#node] = [scope, null];
  }

  #lower(node: Node): string {
    if (node.kind === "op") {
      const inputs = node.inputs.map((child) => this.#nameOf(child));
      const { lower, expand, narrow } = node.op;
      const other = expand?.(node) ?? (this.target.narrow ? narrow?.(node) : null);
      const [value = ""] = other ? this.write([other]) : [lower?.(this, inputs, node)];
      return value;
    }
    check(
      node.kind === "constant",
      "onnx writer",
      "a value for every input",
      () => `none for '${node.scope}'`,
    );
    return this.constants.add(node.value);
  }

  #nameOf(node: Node): string {
    const name = this.#names.get(node);
    check(name !== undefined, "onnx writer", "nodes in order", () => "an unknown one");
    return name;
  }

  /** Adds a node with given output names. */
  push(
    type: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes?: NodeAttributes,
  ): void {
    const label = `${this.prefix}${this.#scope}${this.#scope ? "/" : ""}${type}_${this.nodeProtos.length}`;
    this.nodeProtos.push(nodeProto(type, label, inputs, outputs, attributes));
    this.options.onWritten?.({ name: label, scope: this.#scope, outputs, node: this.#node });
  }

  nodes(type: string, inputs: readonly string[], outputs: number, attributes?: NodeAttributes): string[] {
    const names = Array.from({ length: outputs }, () => `${this.prefix}~${this.#next++}`);
    this.push(type, inputs, names, attributes);
    return names;
  }

  /** Every operator used is a pure function: the same node is written once. */
  node(type: string, inputs: readonly string[], attributes?: NodeAttributes): string {
    return this.#share(`node ${type} ${inputs.join()} ${JSON.stringify(attributes)}`, () => {
      const [name = ""] = this.nodes(type, inputs, 1, attributes);
      return name;
    });
  }

  constant(values: readonly number[], dtype: DType, shape: readonly number[] = [values.length]): string {
    return this.constants.add(fromNumbers(dtype, shape, values));
  }

  cast(value: string, dtype: DType): string {
    return this.node("Cast", [value], { to: onnxType[dtype] });
  }

  shape(shape: Shape): string {
    if (isStatic(shape)) return this.constant(shape, "int64");
    return this.#share(`shape ${JSON.stringify(shape)}`, () =>
      this.node(
        "Concat",
        shape.map((d) => this.#dim(d)),
        { axis: 0 },
      ),
    );
  }

  /** One dimension as an int64 vector of length 1. */
  #dim(d: Shape[number]): string {
    if (typeof d === "number") return this.constant([d], "int64");
    return this.#share(`dim ${d.batch} ${d.plus}`, () => {
      const batch = this.#batchSize();
      const scaled = d.batch === 1 ? batch : this.node("Mul", [batch, this.constant([d.batch], "int64")]);
      return d.plus === 0 ? scaled : this.node("Add", [scaled, this.constant([d.plus], "int64")]);
    });
  }

  #batchSize(): string {
    const source = this.#batch;
    check(source !== null, "onnx writer", "an input whose shape depends on the batch", () => "none");
    return this.#share("batch", () => {
      const sizes = this.node("Shape", [source.value], { start: source.axis, end: source.axis + 1 });
      return source.scale === 1 ? sizes : this.node("Div", [sizes, this.constant([source.scale], "int64")]);
    });
  }

  #share(key: string, build: () => string): string {
    const name = this.#shared.get(key) ?? build();
    this.#shared.set(key, name);
    return name;
  }
}
