// Draws inputs for the examples that operations declare.
import { randomStream } from "../../src/base/random.js";
import { count, resolveShape } from "../../src/base/shape.js";
import { fromNumbers, type Tensor } from "../../src/base/tensor.js";
import { input, type InputNode } from "../../src/graph/node.js";
import type { Array64, Sample } from "../../src/graph/op.js";

export interface Drawn {
  readonly nodes: readonly InputNode[];
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly arrays: Readonly<Record<string, Array64>>;
}

function drawOne(sample: Sample, name: string, batch: number): Tensor {
  const shape = resolveShape(sample.shape, batch);
  const n = count(shape);
  const stream = randomStream(1, name);
  const dtype = sample.dtype ?? "float32";
  if (sample.distinct === true) {
    const order = stream.permutation(n, { sample: 0 });
    return fromNumbers(
      dtype,
      shape,
      Float32Array.from(order, (rank) => (rank - n / 2) * 0.25),
    );
  }
  const unit = new Float32Array(n * 2);
  stream.uniform(unit, { sample: 0 });
  const domain = sample.domain ?? [[-2, 2]];
  const values = Float32Array.from({ length: n }, (_, i) => {
    const [low, high] = domain[Math.floor((unit[2 * i] ?? 0) * domain.length)] ?? [0, 1];
    const u = unit[2 * i + 1] ?? 0;
    return dtype === "float32" ? low + u * (high - low) : Math.floor(low + u * (high - low + 1));
  });
  return fromNumbers(dtype, shape, values);
}

/** Inputs `x0`, `x1` … for one example. */
export function draw(samples: readonly Sample[], batch: number): Drawn {
  const nodes = samples.map((sample, i) => input(`x${i}`, sample.shape, sample.dtype ?? "float32"));
  const tensors = Object.fromEntries(samples.map((sample, i) => [`x${i}`, drawOne(sample, `x${i}`, batch)]));
  const arrays = Object.fromEntries(
    Object.entries(tensors).map(([name, t]) => [
      name,
      { shape: t.shape, data: Float64Array.from(t.data, Number) },
    ]),
  );
  return { nodes, tensors, arrays };
}
