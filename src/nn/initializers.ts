// Starting values of weights. Fans follow the layout [inputs, outputs] or [outputs, inputs, …kernel].
import { randomStream } from "../base/random.js";
import { count } from "../base/shape.js";

/** Draws `out` for a weight with `fanIn` incoming and `fanOut` outgoing connections. */
export type Initializer = (out: Float32Array, seed: number, name: string, fans: Fans) => void;

export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

const scaledNormal =
  (scale: (fans: Fans) => number): Initializer =>
  (out, seed, name, fans) => {
    randomStream(seed, `initialize/${name}`).normal(out, { sample: 0 });
    const s = scale(fans);
    for (let i = 0; i < out.length; i++) out[i] = (out[i] ?? 0) * s;
  };

const scaledUniform =
  (limit: (fans: Fans) => number): Initializer =>
  (out, seed, name, fans) => {
    const l = limit(fans);
    randomStream(seed, `initialize/${name}`).uniform(out, { sample: 0 }, [-l, l]);
  };

/** Initializers by name. */
export const initializers = {
  /** N(0, 2 / fanIn) (He et al. 2015). */
  "he-normal": scaledNormal(({ fanIn }) => Math.sqrt(2 / fanIn)),
  /** U(−l, l), l = √(6 / fanIn) (He et al. 2015). */
  "he-uniform": scaledUniform(({ fanIn }) => Math.sqrt(6 / fanIn)),
  /** N(0, 2 / (fanIn + fanOut)) (Glorot and Bengio 2010). */
  "glorot-normal": scaledNormal(({ fanIn, fanOut }) => Math.sqrt(2 / (fanIn + fanOut))),
  /** U(−l, l), l = √(6 / (fanIn + fanOut)) (Glorot and Bengio 2010). */
  "glorot-uniform": scaledUniform(({ fanIn, fanOut }) => Math.sqrt(6 / (fanIn + fanOut))),
  /** N(0, 0.01²), as ABP's MNIST nets start. */
  "normal-0.01": scaledNormal(() => 0.01),
} as const satisfies Record<string, Initializer>;

export type InitializerName = keyof typeof initializers;
export const initializerNames = Object.keys(initializers) as InitializerName[];

/** Fans of a weight: [inputs, outputs], or [outputs, inputs, …kernel] for convolutions. */
export function fansOf(shape: readonly number[]): Fans {
  const [a = 1, b = 1, ...kernel] = shape;
  const field = count(kernel);
  return kernel.length === 0 ? { fanIn: a, fanOut: b } : { fanIn: b * field, fanOut: a * field };
}
