// Audit: one ONNX file under planned attacks, as a record. The same path as a run's own evaluation.
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { checkTransfer } from "../attacks/transfer.js";
import { count } from "../base/shape.js";
import { limitNotes, splitImages, type ImageSet } from "../data/image-set.js";
import type { Dataset } from "../data/index.js";
import { readPreprocessing, type Preprocessing } from "../data/preprocessing.js";
import type { Progress } from "../evaluation/evaluate.js";
import type { Evaluation } from "../evaluation/records.js";
import type { Mode } from "../nn/imported.js";
import type { Classifier, Model } from "../nn/model.js";
import type { Engine } from "../runtime/engine.js";
import { assess } from "./assess.js";
import { assessCorruptions, checkCorruptions, type CorruptionPlan } from "./corruptions.js";
import { closeEngines, environmentOf, openEngines } from "./engines.js";
import { openOver } from "./fit.js";
import { journalIdentity, openJournal, type JournalFile } from "./journal.js";
import { notTried } from "./not-tried.js";
import { preprocessingDone } from "./preprocessing.js";
import type { AttackPlan } from "./attack-plan.js";
import { make } from "./recipe.js";
import { checkCrafting } from "./transfer.js";
import { worstImages, worstShown } from "./worst-images.js";
import type { AuditFile } from "./records.js";
import type { Gallery } from "./run-record.js";

/** Another model, on which points are crafted. */
export interface TransferModel {
  /** Its bytes. */
  readonly file: Uint8Array;
  /** Names it in records and messages. */
  readonly path: string;
  /** What lies between pixels in [0, 1] and it, on images of the audited model's size; default nothing. */
  readonly preprocessing?: Partial<Preprocessing>;
}

export interface AuditOptions {
  /** The model's bytes. */
  readonly file: Uint8Array;
  /** What to call it in the record and in messages, default `model.onnx`. */
  readonly path?: string;
  /** A dataset in memory, or images that are read a batch at a time (`openImages`). */
  readonly dataset: Dataset | ImageSet;
  /** Whether dropout draws its masks (`train`) or, unless its node draws anyway, keeps all; default `eval`. */
  readonly mode?: Mode | undefined;
  /** Of a dataset in memory, default `test`. */
  readonly split?: "test" | "train" | undefined;
  /** What lies between pixels in [0, 1], where the attacks' ε is measured, and the model; default nothing. */
  readonly preprocessing?: Partial<Preprocessing>;
  readonly attacks: readonly AttackPlan[];
  /** What the attacks make of the images on these models is tried too; default none. */
  readonly transferFrom?: readonly TransferModel[];
  /** Default none. */
  readonly corruptions?: CorruptionPlan;
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
  /** Called with the images that the strongest attack did most to, at the smallest radius at which any fell; null where none did. */
  readonly onWorstImages?: (worst: Gallery | null) => void;
  /** A file that keeps what is done, for an audit that is stopped and called again; removed at the end. */
  readonly journal?: string;
  /** What an audit has found before: returned as it is where nothing that decides the figures has changed. */
  readonly known?: AuditFile;
  /** Called once all options are found good and there is something to do, before anything is measured. */
  readonly onBegin?: () => Promise<void>;
  /** Called where the journal knows a part of the audit, with the batches of images that are done. */
  readonly onResume?: (batches: number) => void;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** The images to audit on, and the classifier over their pixels in [0, 1]. */
function subjectOf(path: string, { file, dataset, split, mode, ...options }: AuditOptions) {
  const preprocessing = readPreprocessing("preprocessing", options.preprocessing);
  const images = "rows" in dataset ? dataset : splitImages(dataset, split ?? "test");
  const { map, ...opened } = openOver(path, file, images, { preprocessing, mode });
  return { ...opened, images, preprocessing: preprocessingDone(images, preprocessing, map) };
}

const sha256Of = (file: Uint8Array): string => createHash("sha256").update(file).digest("hex");

/** The models to craft on, under the names of their files or, where two have one name, their paths. */
function sourcesOf(images: ImageSet, { transferFrom = [], attacks }: AuditOptions, target: Classifier) {
  if (transferFrom.length > 0) checkCrafting("audit: transferFrom", attacks.map(make.attack));
  const names = transferFrom.map(({ path }) => basename(path));
  return transferFrom.map(({ file, path, preprocessing: given }, i) => {
    const preprocessing = readPreprocessing("preprocessing", given);
    const isOnly = names.filter((name) => name === names[i]).length === 1;
    const { classifier, notes, map } = openOver(path, file, images, { preprocessing });
    const source = { classifier, name: isOnly ? basename(path) : path };
    checkTransfer(source, target.model);
    const done = preprocessingDone(images, preprocessing, map);
    return { source, record: { file: path, sha256: sha256Of(file), notes: [...notes], preprocessing: done } };
  });
}

const journalAt = async (path: string | undefined, identity: string): Promise<JournalFile | undefined> =>
  path === undefined ? undefined : openJournal(path, identity);

const modelRecord = (
  file: string,
  sha256: string,
  { inputShape, classes, parameters }: Model,
  notes: readonly string[],
): AuditFile["model"] => ({
  ...{ file, sha256, inputShape: [...inputShape], classes, notes: [...notes] },
  parameters: parameters.reduce((sum, { shape }) => sum + count(shape), 0),
});

/** Passes by attack as plain data. */
const budgetRecords = ({ budget }: Evaluation): AuditFile["budget"] =>
  budget.map(({ epsilon, forward, gradient, ...rest }) => ({
    ...rest,
    epsilon: Number.isFinite(epsilon) ? epsilon : null,
    forward: { ...forward },
    gradient: { ...gradient },
  }));

/** Clean and robust accuracy of an ONNX classifier, with the doubts there are about them. */
export async function audit(options: AuditOptions): Promise<AuditFile> {
  const { mode = "eval", file, path = "model.onnx", attacks, labels = "true", seed = 0, limit } = options;
  const { model, images, notes, classifier, preprocessing } = subjectOf(path, options);
  const sources = sourcesOf(images, options, classifier);
  checkCorruptions("corruptions", options.corruptions?.names ?? [], images.imageShape);
  const engines = options.engines ?? openEngines(file.length, { provider: "cpu", threads: 1 });
  const sha256 = sha256Of(file);
  const [{ provider, threads } = { provider: "none", threads: 0 }] = engines;
  const { name, split, source, count: inAll, identity: content, imageShape } = images;
  const { corruptions: plan } = options;
  const data = { dataset: name, split, images: inAll, limit, identity: content, preprocessing };
  const identity = journalIdentity({
    sha256,
    data,
    attacks,
    labels,
    seed,
    provider,
    threads,
    ...(plan && { corruptions: plan }),
    ...(mode === "train" && { mode }),
    ...(sources.length > 0 && { transferFrom: sources.map(({ record }) => record) }),
  });
  try {
    if (options.known?.identity === identity) return options.known;
    await options.onBegin?.();
    const journal = await journalAt(options.journal, identity);
    if (journal && journal.known.batches > 0) options.onResume?.(journal.known.batches);
    const shared = {
      engines,
      seed,
      batchSize: options.batchSize ?? 100,
      ...(journal && { journal }),
      ...(options.signal && { signal: options.signal }),
      ...(options.onProgress && { onProgress: options.onProgress }),
    };
    const worst = options.onWorstImages ? worstShown : 0;
    const found = await assess(classifier, images, {
      ...shared,
      transferFrom: sources.map(({ source }) => source),
      ...{ attacks, labels, limit, worstCase: true, worst },
    });
    const whole = { ...shared, imageShape, limit: found.n };
    const disturbed = await assessCorruptions(classifier, images, plan, whole);
    options.onWorstImages?.(worstImages(found, { imageShape, title: basename(path) }));
    await journal?.remove();
    return {
      schema: 1,
      model: modelRecord(path, sha256, model, notes),
      dataset: {
        ...{ name, split, n: found.n, source },
        ...(images.classNames && { classNames: [...images.classNames] }),
        preprocessing,
        notes: [...images.notes, ...limitNotes(images, limit)],
      },
      seed,
      mode,
      clean: found.clean,
      robust: found.robust.map((record) => ({ ...record })),
      distances: found.distances.map((record) => ({ ...record, quantiles: { ...record.quantiles } })),
      times: found.times.map(({ epsilon, ...time }) => ({
        ...time,
        epsilon: Number.isFinite(epsilon) ? epsilon : null,
      })),
      ...(sources.length > 0 && { transferFrom: sources.map(({ record }) => record) }),
      notTried: notTried(attacks, {
        ...{ left: limitNotes(images, limit)[0], corrupted: plan !== undefined },
        transferred: sources.length > 0,
      }),
      budget: budgetRecords(found),
      ...disturbed,
      flags: found.flags.map((flag) => ({ ...flag })),
      identity,
      environment: environmentOf(engines),
    };
  } finally {
    if (options.engines === undefined) await closeEngines(engines);
  }
}
