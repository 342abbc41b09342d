// Runs an attack that Temper exported, and the classifier it is aimed at, with ONNX Runtime and nothing else.
// Usage: node plain-onnxruntime.mjs CLASSIFIER.onnx ATTACK.onnx
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import * as runtime from "onnxruntime-node";

const { InferenceSession, Tensor } = runtime.default ?? runtime;
const [classifierFile = "hardened.onnx", attackFile = "attack.onnx"] = process.argv.slice(2);
const classifier = await InferenceSession.create(classifierFile);
const attack = await InferenceSession.create(attackFile);

// Eight images; the shape of one stands in the file, behind the batch.
const count = 8;
const shape = [count, ...attack.inputMetadata.find(({ name }) => name === "input").shape.slice(1)];
const size = shape.reduce((a, b) => a * b, 1);

/** The first test digits of MNIST (`temper data fetch mnist`) as numbers in [0, 1]; made-up images without them. */
function someImages() {
  const cache = process.env.TEMPER_CACHE || join(homedir(), ".cache", "temper");
  const file = join(cache, "datasets", "mnist", "t10k-images-idx3-ubyte");
  if (size !== count * 28 * 28 || !existsSync(file))
    return Float32Array.from({ length: size }, (_, i) => ((i * 31) % 97) / 96);
  const header = 16;
  return Float32Array.from(readFileSync(file).subarray(header, header + size), (pixel) => pixel / 255);
}

/** Logits or probabilities of the classifier, whatever its file calls input and output, and beside whatever labels. */
async function logitsOf(data) {
  const [name] = classifier.inputNames;
  const shapeInFile = [count, ...classifier.inputMetadata[0].shape.slice(1)];
  const results = await classifier.run({ [name]: new Tensor("float32", data, shapeInFile) });
  return classifier.outputNames.map((output) => results[output]).find(({ type }) => type === "float32");
}

/** The class of the largest logit in each row. */
function classesOf({ data, dims }) {
  const columns = dims[1];
  return Int32Array.from({ length: dims[0] }, (_, row) => {
    const logits = [...data.slice(row * columns, (row + 1) * columns)];
    return logits.indexOf(Math.max(...logits));
  });
}

const images = someImages();
const steps = 40;
const epsilon = 0.1;
const scalar = (value) => new Tensor("float32", [value], []);
const before = classesOf(await logitsOf(images));
const feeds = {
  input: new Tensor("float32", images, shape),
  start: new Tensor("float32", images, shape),
  labels: new Tensor("int32", before, [count]),
  epsilon: scalar(epsilon),
  step_size: scalar((2.5 * epsilon) / steps),
  iterations: new Tensor("int64", [BigInt(steps)], []),
};
const missing = attack.inputNames.filter((name) => !(name in feeds));
if (missing.length > 0) {
  console.error(
    `${attackFile}: expected an attack that takes ${Object.keys(feeds)}, got one with ${missing} too`,
  );
  process.exit(1);
}
const { adversarial } = await attack.run(feeds);
const after = classesOf(await logitsOf(adversarial.data));
const distance = adversarial.data.reduce((most, v, i) => Math.max(most, Math.abs(v - images[i])), 0);
console.log(
  `classes before ${[...before]}, after ${[...after]}; largest change of a pixel ${distance.toFixed(4)}`,
);
