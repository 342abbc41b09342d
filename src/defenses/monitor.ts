// What is measured of a network's weights after each epoch, beside its training.
import { floatsOf } from "../attacks/attack.js";
import { outputNamed, range, runRows } from "../attacks/rows.js";
import { B } from "../base/shape.js";
import { argMaxRows, tensor } from "../base/tensor.js";
import { readRows } from "../data/batches.js";
import { imageSize, pixelsOf, type AnySplit, type ImageShape } from "../data/dataset.js";
import { graphFunction, type GraphFunction } from "../graph/function.js";
import { input } from "../graph/node.js";
import { simplify } from "../graph/simplify.js";
import { lookup, weightInputs } from "../nn/classifier.js";
import { evaluationPass, type Model, type Weights } from "../nn/model.js";
import { div } from "../ops/arithmetic.js";
import { cast } from "../ops/compare.js";
import type { Engine, Program, Tensors } from "../runtime/engine.js";
import { loadFunction } from "../runtime/load.js";

/** Measures weights after each epoch; what it returns stands among the epoch's metrics. */
export interface Monitor {
  /** `weights` reads trained parameters and buffers as they are after `epoch` (from 0). */
  measure(epoch: number, weights: () => Promise<Tensors>): Promise<Readonly<Record<string, number>>>;
}

/** Rows a run: products of 2 to 128 rows give the same bits. */
const batchRows = 128;

/** Logits [batch, classes] of `images` [batch, …], bytes or values, in inference mode, weights as inputs. */
function inference(model: Model, pixels: "uint8" | "float32"): GraphFunction {
  const images = input("images", [B, ...model.inputShape], pixels);
  const values = weightInputs(model);
  const x = pixels === "uint8" ? div(cast(images, "float32"), 255) : images;
  const logits = model.apply(x, evaluationPass(lookup(values)));
  return simplify(graphFunction(`${model.name}/monitor`, [images, ...values.values()], { logits }));
}

/** A network in inference mode – running statistics, no dropout – whose weights change between uses. */
export interface Reader {
  /** Takes over the arrays in `weights`. */
  hold(weights: Tensors): Promise<void>;
  /** The share of images misread; an output that is not a number counts as misread. */
  error(split: AnySplit): Promise<number>;
  release(): Promise<void>;
}

async function wrongIn(program: Program, { split, rows, shape }: Rows): Promise<number> {
  const data = await readRows(split, imageSize(shape), Uint32Array.from(rows));
  const images = tensor(pixelsOf(split), [rows.length, ...shape], data);
  const outputs = await runRows(program, range(rows.length), { perRow: { images } });
  const logits = floatsOf(outputNamed(outputs, "logits"));
  const classes = logits.length / Math.max(2, rows.length);
  const read = argMaxRows(logits, classes);
  return rows.filter((row, i) => {
    const isLost = logits.subarray(i * classes, (i + 1) * classes).some(Number.isNaN);
    return isLost || read[i] !== split.labels[row];
  }).length;
}

interface Rows {
  readonly split: AnySplit;
  readonly rows: readonly number[];
  readonly shape: ImageShape;
}

export interface ReaderOptions {
  readonly shape: ImageShape;
  /** How the images come: as bytes or as values. */
  readonly pixels: "uint8" | "float32";
  readonly frozen: Weights;
}

/** Opens `model` over images of `shape` with its `frozen` weights. */
export async function openReader(
  engine: Engine,
  model: Model,
  { shape, pixels, frozen }: ReaderOptions,
): Promise<Reader> {
  const program = await loadFunction(engine, inference(model, pixels));
  const copies = Object.entries(frozen).map(([name, value]) => [
    name,
    { ...value, data: value.data.slice() },
  ]);
  await program.hold(Object.fromEntries(copies) as Weights);
  return {
    hold: (weights) => program.hold(weights),
    async error(split) {
      let wrong = 0;
      for (let from = 0; from < split.count; from += batchRows) {
        const rows = range(Math.min(batchRows, split.count - from)).map((i) => from + i);
        wrong += await wrongIn(program, { split, rows, shape });
      }
      return wrong / split.count;
    },
    release: () => program.release(),
  };
}
