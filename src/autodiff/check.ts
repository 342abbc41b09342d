// Numeric check of derivatives against central differences of the float64 interpreter.
import { randomStream } from "../base/random.js";
import { count, resolveShape } from "../base/shape.js";
import { interpret, type Feeds64 } from "../graph/interpret.js";
import { input, type InputNode, type Node } from "../graph/node.js";
import type { Array64 } from "../graph/op.js";
import { add, mul } from "../ops/arithmetic.js";
import { sum } from "../ops/reduce.js";
import { gradient } from "./gradient.js";

/** One comparison: the directional derivative by the rules and by central differences. */
export interface DerivativeCheck {
  readonly order: number;
  readonly analytic: number;
  readonly numeric: number;
  /** |analytic − numeric| / max(1, |numeric|). */
  readonly error: number;
}

const total = (nodes: readonly Node[]): Node => nodes.reduce((a, b) => add(a, b));

const drawn = (name: string, shape: readonly number[]): Array64 => {
  const values = new Float32Array(count(shape));
  randomStream(7, name).uniform(values, { sample: 0 }, [-1, 1]);
  return { shape, data: Float64Array.from(values) };
};

const moved = (value: Array64, direction: Array64, step: number): Array64 => ({
  shape: value.shape,
  data: value.data.map((x, i) => x + step * (direction.data[i] ?? 0)),
});

/**
 * Checks ∂output/∂sources at `feeds` along a random direction, then the derivative of that, to `order`.
 * The output may have any shape: it is contracted with a fixed random cotangent.
 */
export function checkDerivatives(
  output: Node,
  sources: readonly InputNode[],
  feeds: Feeds64,
  order = 2,
  step = 1e-5,
): DerivativeCheck[] {
  const values: Record<string, Array64> = { ...feeds.values };
  const extra = (name: string, shape: Node["shape"]): InputNode => {
    const node = input(name, shape);
    values[name] = drawn(name, resolveShape(shape, feeds.batch));
    return node;
  };
  const checks: DerivativeCheck[] = [];
  let current = sum(mul(output, extra("check.cotangent", output.shape)));
  for (let level = 1; level <= order; level++) {
    const gradients = gradient(current, sources);
    const directions = sources.map((source) => extra(`check.direction${level}.${source.name}`, source.shape));
    const slope = total(gradients.map((g, i) => sum(mul(g, directions[i] ?? 0))));
    const at = (offset: number): number => {
      const shifted = { ...values };
      for (const [i, source] of sources.entries()) {
        const [value, direction] = [values[source.name], values[directions[i]?.name ?? ""]];
        if (value && direction) shifted[source.name] = moved(value, direction, offset);
      }
      return interpret([current], { batch: feeds.batch, values: shifted })[0]?.data[0] ?? NaN;
    };
    const numeric = (at(step) - at(-step)) / (2 * step);
    const analytic = interpret([slope], { batch: feeds.batch, values })[0]?.data[0] ?? NaN;
    checks.push({
      order: level,
      analytic,
      numeric,
      error: Math.abs(analytic - numeric) / Math.max(1, Math.abs(numeric)),
    });
    current = slope;
  }
  return checks;
}
