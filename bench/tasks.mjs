// A step as files that every contender reads: task.json, and the numbers (weights, inputs, labels) in task.bin.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as architectures from "../dist/nn/architectures/index.js";
import { randomStream } from "../dist/base/random.js";
import { parameterShapes } from "./networks.mjs";

export const seed = 0;

/** Batches that peers hold in memory and go round: their loader costs nothing. */
export const heldBatches = 8;

/** Temper's model of a network; `layers` without dropout: a model without it. */
export function modelOf({ inputShape, classes, layers, temper: [name, options] }) {
  const drops = layers.some(({ kind }) => kind === "dropout");
  const given = "dropout" in options || name === "all-cnn-c" ? { dropout: drops ? 0.5 : 0 } : {};
  return architectures[name]({ ...options, ...given })({ inputShape, classes });
}

/** Random images with about as many pixels that are not 0 as MNIST's: a fifth. Labels are random. */
export function syntheticSplit({ inputShape, classes }, count) {
  const pixels = inputShape.reduce((a, b) => a * b, 1);
  const stream = randomStream(seed, "bench");
  const images = new Uint8Array(count * pixels);
  const words = new Uint32Array(pixels);
  const labels = new Uint8Array(count);
  for (let sample = 0; sample < count; sample++) {
    stream.words(words, { sample });
    words.forEach((word, i) => (images[sample * pixels + i] = word % 5 === 0 ? word >>> 24 : 0));
    labels[sample] = (words[0] >>> 8) % classes;
  }
  return { images, labels, count };
}

/** The starting weights of `network`, and in which order of names a description's shapes mean them. */
export function weightsOf(network) {
  const model = modelOf(network);
  const weights = model.initialize(seed);
  const names = model.parameters.map(({ name }) => name);
  const described = JSON.stringify(parameterShapes(network.layers));
  const built = JSON.stringify(model.parameters.map(({ shape }) => shape));
  if (described !== built) throw new Error(`${network.name}: described ${described}, built ${built}`);
  return { model, weights, names };
}

/**
 * Weights under attack lean to class 0, which is every image's label: no image falls, so that all contenders take all
 * steps of all restarts. Elsewhere they are as initialized.
 */
export function taskWeights({ kind, network }) {
  const { model, weights, names } = weightsOf(network);
  if (kind !== "attack") return { model, weights, names };
  const last = names.at(-1);
  const data = weights[last].data.slice();
  data[0] += 6;
  return { model, weights: { ...weights, [last]: { ...weights[last], data } }, names };
}

/** Images and labels of a step: `count` of them. */
export function taskSplit({ kind, network }, count) {
  const split = syntheticSplit(network, count);
  return kind === "attack" ? { ...split, labels: new Uint8Array(count) } : split;
}

/** Writes the task under `folder`. */
export function writeTask(folder, step) {
  const { weights, names } = taskWeights(step);
  const { inputShape } = step.network;
  const rows = step.kind === "attack" ? step.batch : heldBatches * step.batch;
  const split = taskSplit(step, rows);
  const inputs = Float32Array.from(split.images, (byte) => byte / 255);
  const arrays = [
    ...names.map((name) => ({ name, shape: weights[name].shape, data: weights[name].data })),
    { name: "inputs", shape: [rows, ...inputShape], data: inputs },
    { name: "labels", shape: [rows], data: Int32Array.from(split.labels) },
  ];
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, "task.bin"),
    Buffer.concat(arrays.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength))),
  );
  const described = arrays.map(({ name, shape }) => ({ name, shape }));
  writeFileSync(
    join(folder, "task.json"),
    JSON.stringify({ ...step, batches: heldBatches, arrays: described }),
  );
  return folder;
}
