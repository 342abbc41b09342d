// Shapes of the results of ONNX operators at a known batch size: as much of shape inference as Temper's files need.
import { check } from "../../base/errors.js";
import { count, resolveAxis } from "../../base/shape.js";
import type { DType } from "../../base/tensor.js";

/** A value of a graph. */
export interface Value {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** The elements, where they are few and known beforehand: shapes, axes, pads. */
  readonly known?: readonly number[];
}

/** Integer attributes, single ones as lists of one. */
export type Integers = Readonly<Record<string, readonly number[]>>;

interface Call {
  readonly inputs: readonly (Value | undefined)[];
  readonly integers: Integers;
}

type Rule = (x: Value, call: Call) => Value | readonly Value[];

const none: Value = { shape: [], dtype: "float32" };
const at = ({ inputs }: Call, index: number): Value => inputs[index] ?? none;
const knownAt = (call: Call, index: number): readonly number[] | undefined => call.inputs[index]?.known;
const single = ({ integers }: Call, name: string, otherwise: number): number =>
  integers[name]?.[0] ?? otherwise;

/** The common shape of `shapes` under NumPy's broadcasting. */
function broadcast(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) =>
    shapes.reduce((d, shape) => {
      const own = shape[i - rank + shape.length] ?? 1;
      return own === 1 ? d : own;
    }, 1),
  );
}

const given = ({ inputs }: Call): Value[] => inputs.filter((value) => value !== undefined);

const together = (call: Call): number[] => broadcast(given(call).map(({ shape }) => shape));

/** Arithmetic on the few whole numbers that shapes are made of. */
const wholeNumbers =
  (apply: (a: number, b: number) => number): Rule =>
  (x, call) => {
    const shape = together(call);
    const [a, b] = [x.known, knownAt(call, 1)];
    const known =
      a && b && Array.from({ length: count(shape) }, (_, i) => apply(a[i] ?? a[0] ?? 0, b[i] ?? b[0] ?? 0));
    return { shape, dtype: x.dtype, ...(known && { known }) };
  };

const truth: Rule = (_, call) => ({ shape: together(call), dtype: "bool" });

const reduced: Rule = (x, call) => {
  const rank = x.shape.length;
  const axes = (knownAt(call, 1) ?? call.integers["axes"] ?? x.shape.map((_, i) => i)).map((axis) =>
    resolveAxis("axes", axis, rank),
  );
  const keeps = single(call, "keepdims", 1) === 1;
  const shape = x.shape.flatMap((d, axis) => (axes.includes(axis) ? (keeps ? [1] : []) : [d]));
  return { shape, dtype: x.dtype };
};

/** Sizes [n, channels, …] of windows over x. */
function windows(x: Value, channels: number, kernel: readonly number[], { integers }: Call): number[] {
  const { strides = [], dilations = [], pads = [] } = integers;
  const spatial = x.shape.slice(2).map((size, i) => {
    const padded = size + (pads[i] ?? 0) + (pads[i + kernel.length] ?? 0);
    return Math.floor((padded - (dilations[i] ?? 1) * ((kernel[i] ?? 1) - 1) - 1) / (strides[i] ?? 1)) + 1;
  });
  return [x.shape[0] ?? 1, channels, ...spatial];
}

const pooled = (x: Value, call: Call): number[] =>
  windows(x, x.shape[1] ?? 1, call.integers["kernel_shape"] ?? [], call);

function transposedConvolution(x: Value, call: Call): Value {
  const w = at(call, 1).shape;
  const { strides = [], dilations = [], pads = [], output_padding: beyond = [] } = call.integers;
  const kernel = w.slice(2);
  const spatial = x.shape.slice(2).map((size, i) => {
    const reach = (dilations[i] ?? 1) * ((kernel[i] ?? 1) - 1) + 1;
    const full = (strides[i] ?? 1) * (size - 1) + (beyond[i] ?? 0) + reach;
    return full - (pads[i] ?? 0) - (pads[i + kernel.length] ?? 0);
  });
  return { ...x, shape: [x.shape[0] ?? 1, (w[1] ?? 1) * single(call, "group", 1), ...spatial] };
}

function reshaped(x: Value, call: Call): Value {
  const wanted = knownAt(call, 1) ?? x.shape;
  const sizes = wanted.map((d, i) => (d === 0 ? (x.shape[i] ?? 1) : d));
  const rest = count(x.shape) / count(sizes.filter((d) => d !== -1));
  return { ...x, shape: sizes.map((d) => (d === -1 ? rest : d)) };
}

function sliced(x: Value, call: Call): Value {
  const [from = [], to = []] = [knownAt(call, 1), knownAt(call, 2)];
  const axes = (knownAt(call, 3) ?? from.map((_, i) => i)).map((axis) =>
    resolveAxis("axes", axis, x.shape.length),
  );
  const steps = knownAt(call, 4) ?? [];
  const shape = [...x.shape];
  axes.forEach((axis, i) => {
    const [size, step] = [x.shape[axis] ?? 1, steps[i] ?? 1];
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
    const within = (index = 0): number => Math.min(high, Math.max(low, index < 0 ? index + size : index));
    shape[axis] = Math.max(0, Math.ceil((within(to[i]) - within(from[i])) / step));
  });
  return { shape, dtype: x.dtype };
}

function joined(x: Value, call: Call): Value {
  const axis = resolveAxis("axis", single(call, "axis", 0), x.shape.length);
  const parts = given(call);
  const size = parts.reduce((total, { shape }) => total + (shape[axis] ?? 1), 0);
  const known = parts.flatMap((part) => part.known ?? [NaN]);
  return {
    shape: x.shape.map((d, i) => (i === axis ? size : d)),
    dtype: x.dtype,
    ...(known.some(Number.isNaN) ? {} : { known }),
  };
}

function measured(x: Value, call: Call): Value {
  const known = x.shape.slice(single(call, "start", 0), single(call, "end", x.shape.length));
  return { shape: [known.length], dtype: "int64", known };
}

const elementTypes: Readonly<Record<number, DType>> = { 2: "uint8", 6: "int32", 7: "int64", 9: "bool" };

const alongAxis = (x: Value, call: Call, otherwise: number): [before: number[], after: number[]] => {
  const axis = resolveAxis("axis", single(call, "axis", otherwise), x.shape.length + 1) % x.shape.length;
  return [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
};

/** Columns [n, channels·taps, places] added up where their taps lie. */
function columnsTogether(x: Value, call: Call): Value {
  const [image, taps] = [knownAt(call, 1) ?? [], knownAt(call, 2) ?? []];
  return { ...x, shape: [x.shape[0] ?? 1, (x.shape[1] ?? 1) / count(taps), ...image] };
}

/** What broadcasting makes of all inputs, with the first one's type. */
const elementwise: Rule = (x, call) => ({ shape: together(call), dtype: x.dtype });

/** Element-wise operators, and those that change the order of elements alone. */
const elementwiseNames = [
  ...[
    "Abs",
    "And",
    "Clip",
    "Cos",
    "Elu",
    "Erf",
    "Exp",
    "Floor",
    "HardSigmoid",
    "Identity",
    "LeakyRelu",
    "Log",
  ],
  ...[
    "LogSoftmax",
    "Max",
    "Min",
    "Neg",
    "Or",
    "Pow",
    "Relu",
    "ReorderInput",
    "ReorderOutput",
    "Round",
    "Sigmoid",
  ],
  ...["Sign", "Sin", "Softplus", "Sqrt", "Sub", "Tanh"],
];

const rules: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(elementwiseNames.map((name) => [name, elementwise])),
  Add: wholeNumbers((a, b) => a + b),
  Mul: wholeNumbers((a, b) => a * b),
  Div: wholeNumbers((a, b) => Math.floor(a / b)),
  ...Object.fromEntries(
    ["Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual"].map((name) => [name, truth]),
  ),
  ...Object.fromEntries(["ReduceSum", "ReduceMax", "ReduceMean", "ReduceMin"].map((name) => [name, reduced])),
  ReduceProd: (x, call) => ({ ...(reduced(x, call) as Value), ...(x.known && { known: [count(x.known)] }) }),
  Where: (_, call) => ({ shape: together(call), dtype: at(call, 1).dtype }),
  Cast: (x, call) => ({ ...x, dtype: elementTypes[single(call, "to", 1)] ?? "float32" }),
  Transpose: (x, { integers }) => ({
    ...x,
    shape: (integers["perm"] ?? x.shape.map((_, i) => i).reverse()).map((axis) => x.shape[axis] ?? 1),
  }),
  Reshape: reshaped,
  Flatten: (x, call) => {
    const axis = single(call, "axis", 1);
    return { ...x, shape: [count(x.shape.slice(0, axis)), count(x.shape.slice(axis))] };
  },
  Slice: sliced,
  Concat: joined,
  Shape: measured,
  // Scales are whole numbers: tiles.
  Resize: (x, call) => {
    const scales = knownAt(call, 2) ?? [];
    return { ...x, shape: x.shape.map((d, axis) => d * (scales[axis] ?? 1)) };
  },
  Expand: (x, call) => ({ ...x, shape: broadcast([x.shape, knownAt(call, 1) ?? []]) }),
  ConstantOfShape: (x) => ({ shape: x.known ?? [], dtype: "float32" }),
  Pad: (x, call) => {
    const pads = knownAt(call, 1) ?? [];
    return { ...x, shape: x.shape.map((d, i) => d + (pads[i] ?? 0) + (pads[i + x.shape.length] ?? 0)) };
  },
  Gemm: (x, call) => {
    const w = at(call, 1).shape;
    const [a, b] = [single(call, "transA", 0), 1 - single(call, "transB", 0)];
    return { ...x, shape: [x.shape[a] ?? 1, w[b] ?? 1] };
  },
  MatMul: (x, call) => {
    const w = at(call, 1).shape;
    const leading = broadcast([x.shape.slice(0, -2), w.slice(0, -2)]);
    return { ...x, shape: [...leading, x.shape.at(-2) ?? 1, w.at(-1) ?? 1] };
  },
  Conv: (x, call) => {
    const w = at(call, 1).shape;
    return { ...x, shape: windows(x, w[0] ?? 1, w.slice(2), call) };
  },
  ConvTranspose: transposedConvolution,
  Col2Im: columnsTogether,
  AveragePool: (x, call) => ({ ...x, shape: pooled(x, call) }),
  MaxPool: (x, call) => [
    { ...x, shape: pooled(x, call) },
    { shape: pooled(x, call), dtype: "int64" },
  ],
  Gather: (x, call) => {
    const [before, after] = alongAxis(x, call, 0);
    return { shape: [...before, ...at(call, 1).shape, ...after], dtype: x.dtype };
  },
  Range: (x, call) => ({ shape: [knownAt(call, 1)?.[0] ?? 1], dtype: x.dtype }),
  GatherElements: (x, call) => ({ shape: at(call, 1).shape, dtype: x.dtype }),
  ScatterElements: ({ shape, dtype }) => ({ shape, dtype }),
  ArgMax: (x, call) => {
    const [before, after] = alongAxis(x, call, 0);
    return {
      shape: [...before, ...(single(call, "keepdims", 1) === 1 ? [1] : []), ...after],
      dtype: "int64",
    };
  },
  OneHot: (x, call) => ({ shape: [...x.shape, knownAt(call, 1)?.[0] ?? 1], dtype: at(call, 2).dtype }),
};

/** The results of `operator` on `inputs`. Throws where no rule says their shapes: a guess would grow from node to node. */
export function resultsOf(
  operator: string,
  inputs: readonly (Value | undefined)[],
  integers: Integers,
): readonly Value[] {
  const call = { inputs, integers };
  const x = at(call, 0);
  const rule = rules[operator];
  check(rule !== undefined, "memory", "operators whose shapes are known", () => operator);
  const results = rule(x, call);
  return Array.isArray(results) ? (results as readonly Value[]) : [results as Value];
}
