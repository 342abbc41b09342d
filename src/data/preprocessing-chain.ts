// Preprocessors one after the other: in front of a model, and fitted to training images.
import { check } from "../base/errors.js";
import { B } from "../base/shape.js";
import { floats } from "../base/tensor.js";
import { graphFunction } from "../graph/function.js";
import { input, scope, type Node } from "../graph/node.js";
import { lookup } from "../nn/classifier.js";
import { valuesOf, type Model, type Weights } from "../nn/model.js";
import type { Engine } from "../runtime/engine.js";
import { loadFunction } from "../runtime/load.js";
import { batchRanges, readValues } from "./batches.js";
import { imageSize, type AnySplit, type ImageShape } from "./dataset.js";
import type { FittedValue, Preprocessor } from "./preprocessors/preprocessor.js";

/** Preprocessors in their order, for images of one shape. */
export interface Chain {
  readonly imageShape: ImageShape;
  readonly preprocessors: readonly Preprocessor[];
}

/** The name in a model of a value of the preprocessor at `index`. */
const nameOf = ({ preprocessors }: Chain, index: number, value: string): string =>
  `preprocessing/${index + 1}-${preprocessors[index]?.name ?? ""}/${value}`;

/** Everything that fitting finds, under the names it has in a model. */
export const fittedValues = (chain: Chain): FittedValue[] =>
  chain.preprocessors.flatMap(({ values }, i) =>
    values(chain.imageShape).map((value) => ({ ...value, name: nameOf(chain, i, value.name) })),
  );

/** Images [rows, channels, height, width] behind the first `count` preprocessors of the chain, default all. */
export const mapped = (
  chain: Chain,
  images: Node,
  value: (name: string) => Node,
  count = chain.preprocessors.length,
): Node =>
  chain.preprocessors
    .slice(0, count)
    .reduce(
      (x, { name, apply }, i) =>
        scope(`preprocessing/${name}`, () => apply(x, (of) => value(nameOf(chain, i, of)))),
      images,
    );

/** `model` over pixels in [0, 1], the chain in front of it; without `fitted`, values that stand for those to be found. */
export function behindChain(model: Model, chain: Chain, fitted?: Weights): Model {
  check(
    model.inputShape.join() === chain.imageShape.join(),
    model.name,
    `inputs ${chain.imageShape.join("×")} behind its preprocessing`,
    () => model.inputShape.join("×"),
  );
  const values = fittedValues(chain);
  const unfitted = (): Weights =>
    Object.fromEntries(
      values.map(({ name, shape, initial }) => [
        name,
        floats(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(initial)),
      ]),
    );
  const frozen = values.map(({ name, shape }) => ({ name, shape, role: "other", trainable: false }) as const);
  const { deployed } = model;
  return {
    ...model,
    parameters: [...frozen, ...model.parameters],
    ...(deployed && {
      deployed: (weights) => {
        const own = deployed(valuesOf(model, weights));
        const known = valuesOf({ ...model, parameters: frozen, buffers: [] }, weights);
        return { model: behindChain(own.model, chain, known), weights: { ...known, ...own.weights } };
      },
    }),
    initialize: (seed) => ({ ...(fitted ?? unfitted()), ...model.initialize(seed) }),
    apply: (x, pass) =>
      model.apply(
        mapped(chain, x, (name) => pass.value(name)),
        pass,
      ),
  };
}

/** Images of `size` numbers taken through a graph at once: 1,000, or as many large ones as 64 MiB hold. */
const rowsAtOnce = (size: number): number => Math.max(2, Math.min(1000, Math.floor(2 ** 24 / size)));

export interface FitOptions {
  readonly engine: Engine;
  readonly signal?: AbortSignal | undefined;
}

export interface MapOptions extends FitOptions {
  readonly fitted: Weights;
  /** Only behind the first so many preprocessors; default all. */
  readonly count?: number;
}

/** All images of `split` in order behind the chain's preprocessors, [rows, …] at a time. */
export async function* mappedImages(
  chain: Chain,
  split: AnySplit,
  { fitted, count, engine, signal }: MapOptions,
): AsyncGenerator<Float32Array> {
  const size = imageSize(chain.imageShape);
  const x = input("images", [B, ...chain.imageShape]);
  const names = Object.entries(fitted).map(([name, { shape }]) => [name, input(name, shape)] as const);
  const result = mapped(chain, x, lookup(new Map<string, Node>(names)), count);
  const fn = graphFunction("preprocessing", [x, ...names.map(([, node]) => node)], { mapped: result });
  const program = result === x ? null : await loadFunction(engine, fn, { weights: fitted });
  try {
    for (const { start, end } of batchRanges(split.count, rowsAtOnce(size))) {
      signal?.throwIfAborted();
      const indices = Uint32Array.from({ length: end - start }, (_, i) => start + i);
      const rows = await readValues(split, size, indices);
      const outputs = await program?.run({ images: floats([indices.length, ...chain.imageShape], rows) });
      yield outputs ? (outputs["mapped"]?.data as Float32Array) : rows;
    }
  } finally {
    await program?.release();
  }
}

/** The values of the chain for the images of `split`, each preprocessor's on what those before it make of them. */
export async function fitChain(
  chain: Chain,
  split: AnySplit,
  { engine, signal }: FitOptions,
): Promise<Weights> {
  const { imageShape, preprocessors } = chain;
  let fitted: Weights = {};
  for (const [i, { fit }] of preprocessors.entries()) {
    const known = fitted;
    const batches = (): AsyncIterable<Float32Array> =>
      mappedImages(chain, split, { fitted: known, count: i, engine, signal });
    const found = await fit({ imageShape, count: split.count, batches, engine, signal });
    const named = Object.entries(found).map(([name, value]) => [nameOf(chain, i, name), value] as const);
    fitted = { ...fitted, ...Object.fromEntries(named) };
  }
  return fitted;
}
