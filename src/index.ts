// Temper's public surface, from the whole job down to its parts.

// --- Whole jobs: train, attack, export; recipes with runs that continue. -------------------------------------------
export {
  describeModel,
  type DescribeOptions,
  type Description,
  type LayerDescription,
} from "./experiments/describe.js";
export { harden, type Hardened, type HardenOptions } from "./experiments/harden.js";
export { audit, type AuditOptions, type TransferModel } from "./experiments/audit.js";
export { exportAttack, exportStep, type ExportAttackOptions } from "./experiments/export.js";
export { profileStep, type ProfileOptions } from "./experiments/profile.js";
export { readRecipeFile, type RecipeFile } from "./experiments/cases.js";
export { parseRecipe } from "./experiments/recipe-file.js";
export { readAttack, type AttackPlan } from "./experiments/attack-plan.js";
export type { Method, Recipe } from "./experiments/recipe.js";
export type { Reference } from "./experiments/references.js";
export type { RunEvent, RunOptions } from "./experiments/run-options.js";
export { runRecipe, type RunOutcome } from "./experiments/run.js";
export { readRun } from "./experiments/store.js";
export { schemas } from "./experiments/records.js";
export { jsonSchemas } from "./experiments/schemas.js";
export type {
  AuditFile,
  FlagRecord,
  MetricsLine,
  ResultRow,
  ResultsFile,
  RobustRecord,
  RunFile,
  SearchRecord,
  StepProfile,
} from "./experiments/records.js";
export type { Gallery, RunRecord } from "./experiments/run-record.js";
export {
  terminalAudit,
  terminalProfile,
  terminalTable,
  writeAuditReport,
  writeProfileReport,
  writeReport,
} from "./report/index.js";

// --- Errors: every mistake in the input is a TemperError with one clear line. --------------------------------------
export { TemperError } from "./base/errors.js";
export { OptionError } from "./base/options.js";
export { Interrupted } from "./defenses/train.js";

// --- Data: images as bytes; a value is byte / 255. -----------------------------------------------------------------
export {
  datasetNamed,
  datasetNames,
  fetchDataset,
  limit,
  listDatasets,
  loadDataset,
  readIdxSplit,
  splitValidation,
  subset,
  verifyDataset,
} from "./data/index.js";
export type {
  Dataset,
  DatasetListing,
  DatasetSource,
  Fetched,
  FetchOptions,
  ImageShape,
  Split,
} from "./data/index.js";

// --- Images of one's own: folders and .npz archives, and what makes a model's input of them. ------------------------
export {
  loadWhole,
  openImages,
  streamed,
  type OpenImagesOptions,
  type TrainingSet,
} from "./experiments/images.js";
export { parsePreprocessing } from "./experiments/preprocessing.js";
export { readPreprocessing, type Preprocessing } from "./data/preprocessing.js";
export type { ImageSet } from "./data/image-set.js";

// --- Models: architectures by name, layers for one's own, and ONNX files of any origin. ----------------------------
export * from "./nn/architectures/index.js";
export { lenet } from "./nn/architectures/lenet.js";
export { allCnnC } from "./nn/architectures/all-cnn-c.js";
export { wideResnet } from "./nn/architectures/wide-resnet.js";
export { preactResnet } from "./nn/architectures/preact-resnet.js";
export { inceptionV3 } from "./nn/architectures/inception-v3.js";
export { cifarResnet } from "./nn/architectures/cifar-resnet.js";
export type { Architecture, ArchitectureInput } from "./nn/architectures/architecture.js";
export { sequential } from "./nn/sequential.js";
export {
  activation,
  averagePooling,
  batchNorm,
  convolution,
  dense,
  dropout,
  flatten,
  globalAveragePooling,
  maxPooling,
  normalize,
  residual,
  type BuiltLayer,
  type Layer,
} from "./nn/layers/index.js";
export { exportClassifier } from "./nn/classifier.js";
export { importClassifier, type ImportClassifierOptions } from "./nn/imported.js";
export type {
  Buffer,
  Classifier,
  LossPass,
  Model,
  NoiseSource,
  Parameter,
  Pass,
  Weights,
} from "./nn/model.js";

// --- Defences, and what trains them. -------------------------------------------------------------------------------
export * as defenses from "./defenses/index.js";
export { standard } from "./defenses/standard.js";
export { sgm } from "./defenses/sgm.js";
export { adversarialBackprop } from "./defenses/adversarial-backprop.js";
export { signNoise } from "./defenses/sign-noise.js";
export { jacobianPenalty } from "./defenses/jacobian-penalty.js";
export { fgsmTraining } from "./defenses/fgsm-training.js";
export { compose } from "./defenses/compose.js";
export type { Batch, Defense, Objective, Outcome, StepContext } from "./defenses/defense.js";
export { buildTrainStep, type StepOptions, type TrainStep } from "./defenses/train-step.js";
export { trainingMemory, type TrainingMemory } from "./defenses/memory.js";
export { train, type Progress, type TrainOptions } from "./defenses/train.js";
export { initialState, type EpochRecord, type TrainingState } from "./defenses/training-state.js";
export * from "./optim/index.js";
export type { Optimizer, OptimizerContext, OptimizerState } from "./optim/optimizer.js";
export type { Schedule } from "./optim/schedule.js";

// --- Augmentations: random changes of training images. --------------------------------------------------------------
export * as augmentations from "./augmentations/index.js";
export type { Augmentation } from "./augmentations/augmentation.js";

// --- Preprocessing that is fitted to training images, in front of a network. ----------------------------------------
export * as preprocessors from "./data/preprocessors/index.js";
export { behindChain, fitChain, type Chain } from "./data/preprocessing-chain.js";
export type { FitImages, FittedValue, Preprocessor } from "./data/preprocessors/preprocessor.js";

// --- Corruptions: disturbances that nobody aimed at the model. ------------------------------------------------------
export * as corruptions from "./corruptions/index.js";
export { corrupt, type CorruptOptions } from "./corruptions/corrupt.js";
export type { Corruption, Severity } from "./corruptions/corruption.js";

// --- Attacks in norm balls, and the runner that counts. ------------------------------------------------------------
export * as attacks from "./attacks/index.js";
export { fgsm } from "./attacks/fgsm.js";
export { pgd } from "./attacks/pgd.js";
export { transferFrom, type TransferSource } from "./attacks/transfer.js";
export type { Attack, AttackBatch, AttackContext, AttackTarget, PreparedAttack } from "./attacks/attack.js";
export * as threats from "./threat/index.js";
export { linf, l1, l2 } from "./threat/index.js";
export type { Bounds, Threat } from "./threat/threat.js";
export { evaluate, type EvaluateOptions, type Trial } from "./evaluation/evaluate.js";
export { pixelData, type EvaluationData } from "./evaluation/data.js";
export type { Evaluation, Examples } from "./evaluation/records.js";
export { wilsonInterval } from "./evaluation/statistics/wilson.js";
export { bootstrapInterval } from "./evaluation/statistics/bootstrap.js";
export { holm } from "./evaluation/statistics/holm.js";
export { mcNemar } from "./evaluation/statistics/mcnemar.js";
export { summarize } from "./evaluation/statistics/summary.js";
export { differences, wilcoxonSignedRank } from "./evaluation/statistics/wilcoxon.js";

// --- Graphs: what defences, attacks and layers are written in. -----------------------------------------------------
export * as ops from "./ops/index.js";
export { input, constant, type InputNode, type Node, type Operand } from "./graph/node.js";
export { graphFunction, type GraphFunction } from "./graph/function.js";
export { simplify } from "./graph/simplify.js";
export { print } from "./graph/print.js";
export { gradient } from "./autodiff/gradient.js";
export { B, type Shape } from "./base/shape.js";
export { floats, scalar, tensor, type DType, type Tensor } from "./base/tensor.js";
export { unit, quantity, type Unit } from "./base/options.js";
export { exportFunction, exportLoop, type LoopFunction } from "./onnx/export.js";

// --- The engine: ONNX Runtime, in this thread or in a worker. ------------------------------------------------------
export { localEngine, type Engine, type EngineOptions, type Program } from "./runtime/engine.js";
export { workerEngine } from "./runtime/worker-engine.js";
