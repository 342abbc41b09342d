// The two MNIST classifiers that attacks are compared on: trained once, kept in Temper's cache folder.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as temper from "../../dist/index.js";
import { cacheFolder } from "../../dist/data/cache.js";

const recipes = {
  mlp: {
    title: "784-400-400-10, adversarial back-propagation (ε 0.08), 20 epochs",
    train: {
      model: temper.mlp({ hidden: [400, 400] }),
      defenses: [temper.adversarialBackprop({ epsilon: 0.08 })],
      learningRate: 0.1,
      batchSize: 32,
      epochs: 20,
    },
  },
  cnn: {
    title: "convolutional (16 and 32 5×5 filters, pooling, 128 units), FGSM training (ε 0.1), 3 epochs",
    train: {
      model: temper.convnet({
        convolutions: [
          { filters: 16, kernel: 5, pool: 2 },
          { filters: 32, kernel: 5, pool: 2 },
        ],
        hidden: [128],
      }),
      defenses: [temper.fgsmTraining({ epsilon: 0.1 })],
      learningRate: 0.1,
      batchSize: 64,
      epochs: 3,
    },
  },
};

export const modelNames = Object.keys(recipes);

export const mnist = () => temper.loadDataset(temper.datasetNamed("mnist"));

/** The model called `name`: { name, title, path, sha256, classifier }. */
export async function openModel(name, dataset) {
  const { title, train } = recipes[name];
  const folder = join(cacheFolder(), "bench-attacks");
  const path = join(folder, `${name}.onnx`);
  if (!existsSync(path)) {
    console.error(`training ${name} (${title}) …`);
    const engine = temper.workerEngine({ threads: 1 });
    const { file } = await temper.harden({ ...train, dataset, seed: 0, engine });
    await engine.close();
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, file);
  }
  const file = readFileSync(path);
  const { classifier } = temper.importClassifier(file);
  return { name, title, path, classifier, sha256: createHash("sha256").update(file).digest("hex") };
}
