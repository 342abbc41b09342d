// Larger and smaller of two, leaky and exponential rectifiers. At a tie the cotangent goes to the first operand.
import { B } from "../base/shape.js";
import { argument, checkFloat, type Node, type Operand } from "../graph/node.js";
import { operation, type Operation } from "../graph/op.js";
import { add, mul, sub } from "./arithmetic.js";
import { cast, greaterEqual, lessEqual } from "./compare.js";
import { binary } from "./elementwise.js";
import { relu, sign } from "./piecewise.js";

/** g where `taken` (0 or 1) for the first operand, the rest for the second. */
const shared = (g: Node, taken: Node): readonly Node[] => [mul(g, taken), mul(g, sub(1, taken))];

/** max(x, y), with broadcasting. Derivative: to x where x ≥ y, else to y. */
export const maximum = binary("maximum", {
  onnx: "Max",
  evaluate: Math.max,
  derivative: (g, x, y) => shared(g, cast(greaterEqual(x, y), "float32")),
});

/** min(x, y), with broadcasting. Derivative: to x where x ≤ y, else to y. */
export const minimum = binary("minimum", {
  onnx: "Min",
  evaluate: Math.min,
  derivative: (g, x, y) => shared(g, cast(lessEqual(x, y), "float32")),
});

interface Rectifier {
  readonly onnx: string;
  /** The value where x ≤ 0; x itself elsewhere. */
  readonly negative: (x: number, alpha: number) => number;
  /** dy/dx where x ≤ 0. */
  readonly slope: (alpha: number, y: Node) => Operand;
  readonly alpha: number;
}

type Scaled = (x: Operand, alpha: number) => Node;
type Alpha = { readonly alpha: number };

/** x for x > 0 and a function with one parameter elsewhere; the derivative at 0 is the left one. */
const rectifier = (name: string, { onnx, negative, slope, alpha: sample }: Rectifier): Operation<Scaled> =>
  operation<Alpha, Scaled>(
    {
      name,
      infer: (inputs) => {
        const x = argument(inputs, 0);
        checkFloat(name, x);
        return { dtype: "float32", shape: x.shape };
      },
      evaluate: (inputs, { alpha }) => argument(inputs, 0).data.map((x) => (x > 0 ? x : negative(x, alpha))),
      derivative: (g, node) => {
        const positive = sign(relu(argument(node.inputs, 0)));
        const below = slope(node.attributes.alpha, node);
        return [mul(g, add(positive, mul(sub(1, positive), below)))];
      },
      lower: (emit, inputs, { attributes: { alpha } }) =>
        emit.node(onnx, inputs, { alpha: { float: alpha } }),
      vectorize: "elementwise",
      examples: [
        {
          inputs: [
            {
              shape: [3, 4],
              domain: [
                [-2, -0.1],
                [0.1, 2],
              ],
            },
          ],
          attributes: { alpha: sample },
        },
        {
          inputs: [
            {
              shape: [B, 2],
              domain: [
                [-2, -0.1],
                [0.1, 2],
              ],
            },
          ],
          attributes: { alpha: 1 },
        },
      ],
      rejects: [
        {
          inputs: [{ shape: [2], dtype: "int32" }],
          attributes: { alpha: sample },
          message: `${name}: expected a float32 tensor, got int32`,
        },
      ],
    },
    (make) => (x, alpha) => make([x], { alpha }),
  );

/** x for x > 0, else alpha·x. Derivative: 1 for x > 0, else alpha. */
export const leakyRelu = rectifier("leakyRelu", {
  onnx: "LeakyRelu",
  negative: (x, alpha) => alpha * x,
  slope: (alpha) => alpha,
  alpha: 0.1,
});

/** x for x > 0, else alpha·(eˣ − 1). Derivative: 1 for x > 0, else y + alpha. */
export const elu = rectifier("elu", {
  onnx: "Elu",
  negative: (x, alpha) => alpha * Math.expm1(x),
  slope: (alpha, y) => add(y, alpha),
  alpha: 1.5,
});
