// Kinked functions. Conventions: sign(0) = |·|′(0) = relu′(0) = 0; clip′ at a bound = 1.
import { check } from "../base/errors.js";
import { argument, checkFloat, type Node, type Operand } from "../graph/node.js";
import { operation, type OpDefinition, type Operation } from "../graph/op.js";
import { add, mul, sub } from "./arithmetic.js";
import { cast, greater, less } from "./compare.js";
import { unary } from "./elementwise.js";

const awayFromZero = [
  [-2, -0.1],
  [0.1, 2],
] as const;

/** Away from −1 and 0.5. */
const awayFromBounds = [
  [-2, -1.1],
  [-0.9, 0.4],
  [0.6, 2],
] as const;

/** sign x ∈ {−1, 0, 1}. Derivative: 0. */
export const sign = unary("sign", {
  onnx: "Sign",
  evaluate: Math.sign,
  derivative: null,
  narrow: (x) => sub(step(x), cast(less(x, 0), "float32")),
  domain: awayFromZero,
});

/**
 * 1 where x > 0, else 0. Derivative: 0. One clipped line of slope 3·10³⁸ is several times faster than a comparison
 * or `Sign`; below 3·10⁻³⁹, where float32 runs out of digits, it rises from 0 to 1.
 */
export const step = unary("step", {
  onnx: (emit, x) => emit.node("HardSigmoid", [x], { alpha: { float: 3e38 }, beta: { float: 0 } }),
  evaluate: (x) => (x > 0 ? 1 : 0),
  derivative: null,
  // Shaders need not know infinity.
  narrow: (x) => cast(greater(x, 0), "float32"),
  domain: awayFromZero,
});

/** |x|. Derivative: sign x. */
export const abs = unary("abs", {
  onnx: "Abs",
  evaluate: Math.abs,
  derivative: (g, x) => mul(g, sign(x)),
  domain: awayFromZero,
});

/** max(x, 0). Derivative: 1 where x > 0, else 0 – which is step(relu x). */
export const relu = unary("relu", {
  onnx: "Relu",
  evaluate: (x) => Math.max(x, 0),
  derivative: (g, _x, y) => mul(g, step(y)),
  domain: awayFromZero,
});

/** ⌊x⌋. Derivative: 0. */
export const floor = unary("floor", {
  onnx: "Floor",
  evaluate: Math.floor,
  derivative: null,
  domain: [
    [-1.9, -1.1],
    [0.1, 0.9],
  ],
});

/** The nearest whole number, halves to the even one. */
function nearestEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

/** `nearestEven` of what `floor` and comparisons say. */
function roundedBySteps(x: Node): Node {
  const below = floor(x);
  const rest = sub(x, below);
  const over = cast(greater(rest, 0.5), "float32");
  const under = cast(less(rest, 0.5), "float32");
  const isHalf = sub(sub(1, over), under);
  const isOdd = sub(below, mul(floor(mul(below, 0.5)), 2));
  return add(below, add(over, mul(isHalf, isOdd)));
}

/** x rounded to the nearest whole number, halves to the even one. Derivative: 0. */
export const round = unary("round", {
  onnx: "Round",
  evaluate: nearestEven,
  narrow: roundedBySteps,
  derivative: null,
  domain: [
    [-1.4, -0.6],
    [0.6, 1.4],
  ],
});

type Bounds = { low: number; high: number };
type Bounded = (x: Operand, low: number, high: number) => Node;

/** Declares an element-wise function of x and two constants low ≤ high. */
const bounded = (
  name: string,
  rule: Pick<OpDefinition<Bounds>, "derivative"> & {
    readonly lower: NonNullable<OpDefinition<Bounds>["lower"]>;
    readonly value: (x: number, low: number, high: number) => number;
  },
): Operation<Bounded> =>
  operation<Bounds, Bounded>(
    {
      name,
      infer: (inputs, { low, high }) => {
        const x = argument(inputs, 0);
        checkFloat(name, x);
        check(low <= high, name, "low ≤ high", () => `${low} and ${high}`);
        return { dtype: "float32", shape: x.shape };
      },
      evaluate: (inputs, { low, high }) => argument(inputs, 0).data.map((x) => rule.value(x, low, high)),
      derivative: rule.derivative,
      lower: rule.lower,
      vectorize: "elementwise",
      examples: [{ inputs: [{ shape: [2, 3], domain: awayFromBounds }], attributes: { low: -1, high: 0.5 } }],
      rejects: [
        {
          inputs: [{ shape: [2] }],
          attributes: { low: 1, high: 0 },
          message: `${name}: expected low ≤ high, got 1 and 0`,
        },
      ],
    },
    (make) => (x, low, high) => make([x], { low, high }),
  );

/** 1 where low ≤ x ≤ high, else 0, as float32. Derivative: 0. */
export const within = bounded("within", {
  value: (x, low, high) => (x >= low && x <= high ? 1 : 0),
  derivative: null,
  lower: (emit, inputs, { attributes: { low, high } }) => {
    const x = argument(inputs, 0);
    const above = emit.node("GreaterOrEqual", [x, emit.constant([low], "float32", [])]);
    const below = emit.node("LessOrEqual", [x, emit.constant([high], "float32", [])]);
    return emit.cast(emit.node("And", [above, below]), "float32");
  },
});

/** min(max(x, low), high). Derivative: 1 where low ≤ x ≤ high (bounds included), else 0. */
export const clip = bounded("clip", {
  value: (x, low, high) => Math.min(Math.max(x, low), high),
  derivative: (g, { inputs, attributes: { low, high } }) => [mul(g, within(argument(inputs, 0), low, high))],
  lower: (emit, inputs, { attributes: { low, high } }) => {
    const bounds = [low, high].map((bound) => emit.constant([bound], "float32", []));
    return emit.node("Clip", [argument(inputs, 0), ...bounds]);
  },
});
