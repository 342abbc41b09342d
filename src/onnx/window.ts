// Strides, dilations and padding of convolutions and pools as ONNX gives them: explicit, SAME_UPPER, SAME_LOWER, VALID.
import { fail } from "../base/errors.js";
import { formatShape, isStatic, type Shape } from "../base/shape.js";
import type { Call } from "./call.js";

export interface WindowOptions {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Every beginning, then every end. */
  readonly pads: readonly number[];
}

const modes = ["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"];

/** Sizes of the spatial axes of [N, C, …]; one or two of them. */
export function spatialSizes(shape: Shape): readonly number[] {
  const spatial = shape.slice(2);
  if (spatial.length < 1 || spatial.length > 2 || !isStatic(spatial))
    return fail(
      "input 1",
      "[batch, channels, length] or [batch, channels, height, width]",
      formatShape(shape),
    );
  return spatial;
}

/** Larger windows, steps and pads come from damaged files. */
const largest = 2 ** 16;

/** `values`, or the error that one of them is out of reach. */
function withinReach(name: string, values: readonly number[]): readonly number[] {
  const found = values.find((n) => Math.abs(n) > largest);
  return found === undefined
    ? values
    : fail(`attribute '${name}'`, `numbers up to ${largest}`, String(found));
}

/** The window of `kernel` over `spatial` axes that the node's attributes describe. */
export function windowOf(call: Call, spatial: readonly number[], kernel: readonly number[]): WindowOptions {
  withinReach("kernel_shape", kernel);
  const strides = withinReach("strides", call.ints("strides") ?? kernel.map(() => 1));
  const dilations = withinReach("dilations", call.ints("dilations") ?? kernel.map(() => 1));
  const mode = call.text("auto_pad", "NOTSET") || "NOTSET";
  if (!modes.includes(mode)) return fail("attribute 'auto_pad'", "a known mode", mode, modes.join(", "));
  if (mode === "NOTSET")
    return {
      strides,
      dilations,
      pads: withinReach("pads", call.ints("pads") ?? [...kernel, ...kernel].map(() => 0)),
    };
  const total = spatial.map((size, axis) => {
    const [taps = 1, stride = 1, dilation = 1] = [kernel[axis], strides[axis], dilations[axis]];
    const needed = (Math.ceil(size / stride) - 1) * stride + dilation * (taps - 1) + 1 - size;
    return mode === "VALID" ? 0 : Math.max(0, needed);
  });
  const before = total.map((n) => (mode === "SAME_LOWER" ? Math.ceil(n / 2) : Math.floor(n / 2)));
  return { strides, dilations, pads: [...before, ...total.map((n, axis) => n - (before[axis] ?? 0))] };
}

/**
 * The padding at each end that lets as many windows fit as `ceil_mode` asks for: the last may reach over the end,
 * but begins inside the input or the padding in front of it.
 */
export function ceilEnds(
  spatial: readonly number[],
  kernel: readonly number[],
  { strides, dilations, pads }: WindowOptions,
): number[] {
  return spatial.map((size, axis) => {
    const [taps = 1, stride = 1, dilation = 1] = [kernel[axis], strides[axis], dilations[axis]];
    const [before = 0, after = 0] = [pads[axis], pads[axis + kernel.length]];
    const reach = dilation * (taps - 1) + 1;
    const steps = Math.ceil((size + before + after - reach) / stride);
    const last = steps * stride >= size + before ? steps - 1 : steps;
    return Math.max(0, last * stride + reach - size - before);
  });
}
