// Datasets: where they come from, how they are read, split and cut into batches.
export * as datasets from "./datasets/index.js";
export type * from "./dataset.js";
export { checkLabels, imageSize } from "./dataset.js";
export { cacheFolder, datasetFolder } from "./cache.js";
export { readIdx, readIdxSplit, writeIdx, type IdxArray, type IdxKind } from "./idx.js";
export * from "./split.js";
export * from "./batches.js";
export * from "./store.js";
export { fetchDataset, type Fetched, type FetchOptions } from "./fetch.js";
export type { DownloadOptions, DownloadProgress } from "./download.js";
