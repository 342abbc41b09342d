// Audit: one ONNX file under planned attacks, as a record. The same path as a run's own evaluation.
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { count } from "../base/shape.js";
import { imageSize, type Dataset } from "../data/index.js";
import { pixelData } from "../evaluation/data.js";
import type { Progress } from "../evaluation/evaluate.js";
import type { Engine } from "../runtime/engine.js";
import { assess } from "./assess.js";
import { closeEngines, environmentOf, openEngines } from "./engines.js";
import { checkFit, openClassifier } from "./fit.js";
import { journalIdentity, openJournal } from "./journal.js";
import { notTried } from "./not-tried.js";
import type { AttackPlan } from "./recipe.js";
import { worstImages } from "./worst-images.js";
import type { AuditFile, Gallery } from "./records.js";

export interface AuditOptions {
  /** The model's bytes. */
  readonly file: Uint8Array;
  /** What to call it in the record and in messages, default `model.onnx`. */
  readonly path?: string;
  readonly dataset: Dataset;
  /** Default `test`. */
  readonly split?: "test" | "train";
  readonly attacks: readonly AttackPlan[];
  /** Labels given to the attacks, default `true`. */
  readonly labels?: "true" | "predicted";
  /** Default 0. */
  readonly seed?: number;
  /** Images a batch, 2 to 128, default 100; the figures do not depend on it. */
  readonly batchSize?: number;
  /** Only the first images; default all. */
  readonly limit?: number;
  /** They share the images. Default: one with one thread for each core; the last bits depend on the threads alone. */
  readonly engines?: readonly Engine[];
  /** Called with the images that the smallest changes bring down, out of the first ones; null where none fell. */
  readonly onWorstImages?: (worst: Gallery | null) => void;
  /** A file that keeps what is done, for an audit that is stopped and called again; removed at the end. */
  readonly journal?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** Images that are looked through for the worst ones. */
const examplesKept = 64;

/** Clean and robust accuracy of an ONNX classifier, with the doubts there are about them. */
export async function audit(options: AuditOptions): Promise<AuditFile> {
  const {
    file,
    path = "model.onnx",
    dataset,
    attacks,
    split = "test",
    labels = "true",
    seed = 0,
    limit,
  } = options;
  const { classifier, notes } = openClassifier(path, file);
  const { model } = classifier;
  checkFit(path, model, dataset);
  const engines = options.engines ?? openEngines(file.length, { provider: "cpu", threads: 1 });
  const sha256 = createHash("sha256").update(file).digest("hex");
  const [{ provider, threads } = { provider: "none", threads: 0 }] = engines;
  const { count: images } = dataset[split];
  const data = { dataset: dataset.name, split, images, limit };
  const decides = { sha256, data, attacks, labels, seed, provider, threads };
  try {
    const journal =
      options.journal === undefined
        ? undefined
        : await openJournal(options.journal, journalIdentity(decides));
    const { images: pixels, labels: classOf } = dataset[split];
    const found = await assess(classifier, pixelData(pixels, classOf, imageSize(dataset.imageShape)), {
      engines,
      attacks,
      labels,
      seed,
      limit,
      batchSize: options.batchSize ?? 100,
      worstCase: true,
      examples: options.onWorstImages ? examplesKept : 0,
      ...(journal && { journal }),
      ...(options.signal && { signal: options.signal }),
      ...(options.onProgress && { onProgress: options.onProgress }),
    });
    options.onWorstImages?.(
      worstImages(found.examples, { imageShape: dataset.imageShape, title: basename(path) }),
    );
    await journal?.remove();
    return {
      schema: 1,
      model: {
        file: path,
        sha256,
        inputShape: [...model.inputShape],
        classes: model.classes,
        parameters: model.parameters.reduce((sum, { shape }) => sum + count(shape), 0),
        notes,
      },
      dataset: { name: dataset.name, split, n: found.n },
      seed,
      clean: found.clean,
      robust: found.robust.map((record) => ({ ...record })),
      distances: found.distances.map((record) => ({ ...record, quantiles: { ...record.quantiles } })),
      times: found.times.map(({ epsilon, ...time }) => ({
        ...time,
        epsilon: Number.isFinite(epsilon) ? epsilon : null,
      })),
      notTried: notTried(attacks, { images: found.n, available: dataset[split].count }),
      flags: found.flags.map((flag) => ({ ...flag })),
      environment: environmentOf(engines),
    };
  } finally {
    if (options.engines === undefined) await closeEngines(engines);
  }
}
