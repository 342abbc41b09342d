// What the host puts into one run of the training loop: inputs, labels and noise of several equal batches.
import { randomStream } from "../base/random.js";
import { count, resolveShape } from "../base/shape.js";
import { allocate, tensor, type Tensor } from "../base/tensor.js";
import { copyRows, gatherLabels, readRows } from "../data/batches.js";
import { imageSize, pixelsOf, type ImageShape, type AnySplit } from "../data/dataset.js";
import type { NoiseInput } from "../nn/noise-inputs.js";
import { nextName } from "../onnx/export.js";
import type { Tensors } from "../runtime/engine.js";
import type { TrainStep } from "./train-step.js";

/** Consecutive batches of one size: the samples' indices, batch after batch. */
export interface Chunk {
  readonly indices: Uint32Array;
  readonly batchSize: number;
  readonly epoch: number;
}

export interface FeedSource {
  readonly step: TrainStep;
  readonly split: AnySplit;
  readonly imageShape: ImageShape;
  readonly seed: number;
  /** The stored inputs, where they move: [count, …imageShape]. */
  readonly stored: Float32Array | null;
  /** State of each sample, by name: [count, …imageShape]. */
  readonly perSample: Readonly<Record<string, Float32Array>>;
  /** Arrays that nobody needs any more, for the next inputs: fresh memory costs more than filling it. */
  readonly spare: Float32Array[];
}

/** Noise for a chunk: each sample's is drawn at (sample, epoch, copy), whatever its place in the batch. */
function noiseFor(
  { input, request }: NoiseInput,
  seed: number,
  { indices, batchSize, epoch }: Chunk,
): Tensor {
  const [rows = 0, ...rest] = resolveShape(request.shape, batchSize);
  const size = count(rest);
  const steps = indices.length / batchSize;
  const data = allocate(input.dtype, steps * rows * size);
  const stream = randomStream(seed, `noise/${request.name}`);
  for (let step = 0; step < steps; step++)
    for (let row = 0; row < rows; row++) {
      const sample = indices[step * batchSize + (row % batchSize)] ?? 0;
      const at = { sample, round: epoch, iteration: Math.floor(row / batchSize) };
      const from = (step * rows + row) * size;
      const out = data.subarray(from, from + size);
      if (out instanceof Uint8Array) stream.bernoulli(out, at, request.p ?? 0.5);
      else if (out instanceof Float32Array)
        if (request.kind === "normal") stream.normal(out, at);
        else stream.uniform(out, at);
    }
  return tensor(input.dtype, [steps, rows, ...rest], data);
}

/** Feeds of one run: every scanned input of the loop and the number of iterations. Noise is drawn while images are read. */
export async function feedsFor(source: FeedSource, chunk: Chunk): Promise<Record<string, Tensor>> {
  const { step, split, imageShape, stored, perSample } = source;
  const { indices, batchSize } = chunk;
  const size = imageSize(imageShape);
  const lead = [indices.length / batchSize, batchSize];
  const needsPixels = stored === null || step.needsOriginals;
  const reading = needsPixels ? readRows(split, size, indices) : null;
  const labels = new Int32Array(indices.length);
  gatherLabels(split.labels, indices, labels);
  const floatRows = (values: Float32Array): Tensor => {
    const length = indices.length * size;
    const spare = source.spare.pop();
    const out = spare && spare.length >= length ? spare.subarray(0, length) : new Float32Array(length);
    copyRows(values, size, indices, out);
    return tensor("float32", [...lead, ...imageShape], out);
  };
  const noise = step.noise.map(
    (wanted) => [wanted.input.name, noiseFor(wanted, source.seed, chunk)] as const,
  );
  const images = (await reading) ?? new Uint8Array();
  const pixels = (data: Uint8Array | Float32Array): Tensor =>
    tensor(pixelsOf(split), [...lead, ...imageShape], data);
  return {
    iterations: tensor("int64", [], BigInt64Array.of(BigInt(lead[0] ?? 1))),
    inputs: stored ? floatRows(stored) : pixels(images),
    labels: tensor("int32", lead, labels),
    ...(step.needsOriginals && { originals: pixels(stored ? images : images.slice()) }),
    ...Object.fromEntries(Object.entries(perSample).map(([name, values]) => [name, floatRows(values)])),
    ...Object.fromEntries(noise),
  };
}

/** Writes rows that a run returned back to where they are stored. */
function storeRows(stored: Float32Array, rows: Float32Array, indices: Uint32Array): void {
  const size = rows.length / indices.length;
  for (let row = 0; row < indices.length; row++)
    stored.set(rows.subarray(row * size, (row + 1) * size), (indices[row] ?? 0) * size);
}

/** Books what a run returned of each sample of its chunk; returns the other results: loss and metrics. */
export function storeResults(source: FeedSource, results: Tensors, { indices }: Chunk): Tensors {
  const { stored, perSample, spare } = source;
  const places = new Map(Object.entries(perSample).map(([name, values]) => [nextName(name), values]));
  if (stored) places.set("storedInputs", stored);
  const others = Object.entries(results).filter(([name, { data }]) => {
    const place = places.get(name);
    if (place === undefined || !(data instanceof Float32Array)) return true;
    storeRows(place, data, indices);
    spare.push(data);
    return false;
  });
  return Object.fromEntries(others);
}
