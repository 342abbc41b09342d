// Runs an attack that Temper exported, and the classifier it is aimed at, with ONNX Runtime and nothing else.
// Usage: node plain-onnxruntime.mjs CLASSIFIER.onnx ATTACK.onnx
import * as runtime from "onnxruntime-node";

const { InferenceSession, Tensor } = runtime.default ?? runtime;
const [classifierFile = "hardened.onnx", attackFile = "attack.onnx"] = process.argv.slice(2);
const classifier = await InferenceSession.create(classifierFile);
const attack = await InferenceSession.create(attackFile);

// Four made-up images; the shape of one stands in the file, behind the batch.
const input = attack.inputMetadata.find(({ name }) => name === "input");
const shape = [4, ...input.shape.slice(1)];
const size = shape.reduce((a, b) => a * b, 1);
const images = Float32Array.from({ length: size }, (_, i) => ((i * 31) % 97) / 96);

/** Logits of the classifier, whatever its file calls input and output. */
async function logitsOf(data) {
  const [name] = classifier.inputNames;
  const shapeInFile = [4, ...classifier.inputMetadata[0].shape.slice(1)];
  const results = await classifier.run({ [name]: new Tensor("float32", data, shapeInFile) });
  return results[classifier.outputNames[0]];
}

/** The class of the largest logit in each row. */
function classesOf({ data, dims }) {
  const columns = dims[1];
  return Int32Array.from({ length: dims[0] }, (_, row) => {
    const logits = [...data.slice(row * columns, (row + 1) * columns)];
    return logits.indexOf(Math.max(...logits));
  });
}

const steps = 40;
const epsilon = 0.1;
const scalar = (value) => new Tensor("float32", [value], []);
const before = classesOf(await logitsOf(images));
const { adversarial } = await attack.run({
  input: new Tensor("float32", images, shape),
  start: new Tensor("float32", images, shape),
  labels: new Tensor("int32", before, [4]),
  epsilon: scalar(epsilon),
  step_size: scalar((2.5 * epsilon) / steps),
  iterations: new Tensor("int64", [BigInt(steps)], []),
});
const after = classesOf(await logitsOf(adversarial.data));
const distance = adversarial.data.reduce((most, v, i) => Math.max(most, Math.abs(v - images[i])), 0);
console.log(
  `classes before ${[...before]}, after ${[...after]}; largest change of a pixel ${distance.toFixed(4)}`,
);
