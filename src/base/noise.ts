// Random numbers that a graph asks of the host.
import type { Shape } from "./shape.js";

/** Noise that a graph asks of the host: drawn anew for each step and keyed by the sample it belongs to. */
export interface NoiseRequest {
  /** Stream name; under equal names a sample and its copies get the same noise, however many rows a pass has. */
  readonly name: string;
  /** Leading axis = samples (a multiple of the batch), then the shape for one sample. */
  readonly shape: Shape;
  /** `bernoulli`: 1 with probability p, else 0. `uniform`: [0, 1). `normal`: mean 0, variance 1. */
  readonly kind: "bernoulli" | "uniform" | "normal";
  readonly p?: number;
}
