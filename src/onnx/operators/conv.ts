// Convolution and transposed convolution, in one and two dimensions.
import { fail } from "../../base/errors.js";
import { formatShape } from "../../base/shape.js";
import { add, convInputAdjoint, pad, slice } from "../../ops/index.js";
import type { Node } from "../../graph/node.js";
import type { Builder, Call } from "../call.js";
import { convolved, perChannel } from "../convolution.js";
import { spatialSizes } from "../window.js";

const withBias = (call: Call, y: Node): Node => (call.has(2) ? add(y, perChannel(call.at(2), y)) : y);

export const Conv: Builder = (call) => withBias(call, convolved(call, call.at(0), call.at(1)));

interface Transposed {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** The size along each axis before pads are cut off. */
  readonly whole: readonly number[];
  /** What is cut off: every beginning, then every end; negative where zeros are added. */
  readonly cuts: readonly number[];
}

function transposedOf(call: Call, spatial: readonly number[], w: Node): Transposed {
  const kernel = w.shape.slice(2).map(Number);
  const zeros = kernel.map(() => 0);
  const strides = call.ints("strides") ?? kernel.map(() => 1);
  const dilations = call.ints("dilations") ?? kernel.map(() => 1);
  const beyond = call.ints("output_padding") ?? zeros;
  const mode = call.text("auto_pad", "NOTSET");
  const at = (values: readonly number[], axis: number): number => values[axis] ?? 0;
  const whole = spatial.map(
    (size, axis) => at(strides, axis) * (size - 1) + at(dilations, axis) * (at(kernel, axis) - 1) + 1,
  );
  const same = mode.startsWith("SAME") ? spatial.map((size, axis) => size * at(strides, axis)) : null;
  const wanted = call.ints("output_shape")?.slice(-spatial.length) ?? same;
  if (wanted === null) {
    const pads = call.ints("pads") ?? [...zeros, ...zeros];
    const ends = zeros.map((_, axis) => at(pads, axis + zeros.length) - at(beyond, axis));
    return { kernel, strides, dilations, whole, cuts: [...pads.slice(0, zeros.length), ...ends] };
  }
  const totals = whole.map((size, axis) => size + at(beyond, axis) - at(wanted, axis));
  const fronts = totals.map((n) => (mode === "SAME_UPPER" ? Math.floor(n / 2) : n - Math.floor(n / 2)));
  const ends = totals.map((n, axis) => n - at(fronts, axis) - at(beyond, axis));
  return { kernel, strides, dilations, whole, cuts: [...fronts, ...ends] };
}

/** The adjoint of a convolution without padding, of which the pads are cut off. */
export const ConvTranspose: Builder = (call) => {
  const [x, w] = [call.at(0), call.at(1)];
  const spatial = spatialSizes(x.shape);
  const { strides, dilations, whole, cuts } = transposedOf(call, spatial, w);
  const groups = call.int("group", 1);
  const [rows = 1] = x.shape;
  const perGroup = w.shape[1];
  if (typeof perGroup !== "number") return fail("input 2", "filters of fixed sizes", formatShape(w.shape));
  const full = convInputAdjoint(x, w, {
    strides,
    dilations,
    groups,
    inputShape: [rows, perGroup * groups, ...whole],
  });
  const [fronts, ends] = [cuts.slice(0, spatial.length), cuts.slice(spatial.length)];
  const added = pad(
    full,
    [0, 0, ...fronts.map((n) => Math.max(0, -n))],
    [0, 0, ...ends.map((n) => Math.max(0, -n))],
  );
  const y = slice(added, {
    axes: spatial.map((_, axis) => axis + 2),
    starts: fronts.map((n) => Math.max(0, n)),
    ends: ends.map((n, axis) => Number(added.shape[axis + 2]) - Math.max(0, n)),
  });
  return withBias(call, y);
};
