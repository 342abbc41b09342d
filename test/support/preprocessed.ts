// Images behind preprocessors, whole.
import type { Split } from "../../src/data/dataset.js";
import { fitChain, mappedImages, type Chain } from "../../src/data/preprocessing-chain.js";
import type { Weights } from "../../src/nn/model.js";
import type { Engine } from "../../src/runtime/engine.js";

/** All images of `split` behind the chain, fitted to them unless `fitted` says how. */
export async function preprocessedImages(
  chain: Chain,
  split: Split,
  engine: Engine,
  fitted?: Weights,
): Promise<Float32Array> {
  const values = fitted ?? (await fitChain(chain, split, { engine }));
  const images = new Float32Array(split.images.length);
  let done = 0;
  for await (const rows of mappedImages(chain, split, { fitted: values, engine })) {
    images.set(rows, done);
    done += rows.length;
  }
  return images;
}
