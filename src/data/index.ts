// Datasets: where they come from, how they are read, split and cut into batches.
export * as datasets from "./datasets/index.js";
export type * from "./dataset.js";
export { imageSize, pixelsOf } from "./dataset.js";
export { cacheFolder } from "./cache.js";
export { readIdxSplit } from "./idx.js";
export * from "./split.js";
export * from "./batches.js";
export * from "./store.js";
export { fetchDataset, type Fetched, type FetchOptions } from "./fetch.js";
