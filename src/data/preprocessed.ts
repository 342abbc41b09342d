// A dataset behind its preprocessing: images as values without bounds, for methods and attacks that measure ε there.
import { imageSize, type AnyDataset, type AnySplit, type Dataset, type Split } from "./dataset.js";
import { mappedImages, type Chain, type MapOptions } from "./preprocessing-chain.js";

async function behind(chain: Chain, split: AnySplit, options: MapOptions): Promise<Split> {
  const { labels, count } = split;
  const images = new Float32Array(count * imageSize(chain.imageShape));
  let at = 0;
  for await (const rows of mappedImages(chain, split, options)) {
    images.set(rows, at);
    at += rows.length;
  }
  return { images, labels, count };
}

/** `dataset` in memory, its images as the chain's preprocessors leave them; no bounds hold them. */
export async function preprocessed(
  dataset: AnyDataset,
  chain: Chain,
  options: Omit<MapOptions, "count">,
): Promise<Dataset> {
  const { train, test } = dataset;
  return {
    ...dataset,
    bounds: [-Infinity, Infinity],
    train: await behind(chain, train, options),
    test: await behind(chain, test, options),
  };
}
