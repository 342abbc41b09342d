// What a random model draws while it is attacked or judged: by seed, sample, draw and iteration, whoever else is there.
import { randomStream, type Position } from "../base/random.js";
import { count, resolveShape } from "../base/shape.js";
import { allocate, tensor, type Tensor } from "../base/tensor.js";
import type { InputNode } from "../graph/node.js";
import { isRandom, type Model } from "../nn/model.js";
import { isNoise, noiseInput } from "../nn/noise-inputs.js";
import type { NoiseRequest } from "../base/noise.js";
import type { Engine, Samples, Supply } from "../runtime/engine.js";

/** Numbers of one sample's draw. */
function fill(
  out: Tensor["data"],
  { kind, p = 0.5 }: NoiseRequest,
  seed: number,
  stream: string,
  at: Position,
): void {
  const numbers = randomStream(seed, stream);
  if (out instanceof Uint8Array) numbers.bernoulli(out, at, p);
  else if (out instanceof Float32Array)
    if (kind === "normal") numbers.normal(out, at);
    else numbers.uniform(out, at);
}

/** The request behind an input, whatever number of rows it has. */
function requestOf({ draws = [] }: Model, { name, shape }: InputNode): NoiseRequest {
  const found = draws.find(
    (request) =>
      noiseInput({ ...request, shape: [shape[0] ?? 0, ...request.shape.slice(1)] }).input.name === name,
  );
  if (found === undefined) throw new Error(`nobody asked for '${name}'`);
  return found;
}

interface Now {
  readonly samples: Samples;
  /** Iterations run for them so far. */
  iterations: number;
}

/**
 * Answers what programs of `model` ask. Inputs that stay the same through a run hold one draw of each sample, the same
 * in every run; those that differ by iteration hold a new draw for each, and each copy of a row has draws of its own.
 */
function drawsOf(model: Model, purpose: string): Supply {
  let now: Now | null = null;
  const drawn = (
    input: InputNode,
    rows: readonly number[],
    steps: { from: number; count: number } | null,
  ): Tensor => {
    if (now === null) throw new Error("draws for no samples");
    const { indices, seed } = now.samples;
    const request = requestOf(model, input);
    const [height = 0, ...rest] = resolveShape(input.shape, rows.length);
    const size = count(rest);
    const copies = height / rows.length;
    const data = allocate(input.dtype, (steps?.count ?? 1) * height * size);
    for (let step = 0; step < (steps?.count ?? 1); step++)
      for (let row = 0; row < height; row++) {
        const copy = Math.floor(row / rows.length);
        const sample = indices[rows[row % rows.length] ?? 0] ?? 0;
        const iteration = steps === null ? copy : (steps.from + step) * copies + copy;
        const from = (step * height + row) * size;
        const at = { sample, round: steps === null ? 0 : 1, iteration };
        fill(data.subarray(from, from + size), request, seed, `${purpose}/${request.name}`, at);
      }
    return tensor(input.dtype, [...(steps ? [steps.count] : []), height, ...rest], data);
  };
  return {
    answers: isNoise,
    async within(samples, work) {
      const before = now;
      now = { samples, iterations: 0 };
      try {
        return await work();
      } finally {
        now = before;
      }
    },
    feeds({ fixed, scanned }, rows, iterations = 0) {
      const steps = { from: now?.iterations ?? 0, count: iterations };
      if (now !== null) now.iterations += iterations;
      return Object.fromEntries([
        ...fixed.map((input) => [input.name, drawn(input, rows, null)] as const),
        ...scanned.map((input) => [input.name, drawn(input, rows, steps)] as const),
      ]);
    },
  };
}

/** `engine` for programs of `model`: where that is random, what it draws is fed to them, from streams named by `purpose`. */
export const drawing = (engine: Engine, model: Model, purpose: "attack" | "judge"): Engine =>
  isRandom(model) ? { ...engine, supply: drawsOf(model, purpose) } : engine;

/** `work` with draws for these samples; nothing else where the engine's model draws nothing. */
export const withDraws = <T>({ supply }: Engine, samples: Samples, work: () => Promise<T>): Promise<T> =>
  supply === undefined ? work() : supply.within(samples, work);
