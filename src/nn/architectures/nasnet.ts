// NASNet-A (Zoph et al. 2018, "Learning transferable architectures for scalable image recognition"), mobile and large.
import { z } from "zod";
import { unit } from "../../base/options.js";
import { initializerNames } from "../initializers.js";
import {
  activation,
  activationNames,
  averagePooling,
  batchNorm,
  branches,
  convolution,
  dense,
  dropped,
  globalAveragePooling,
  maxPooling,
  subsample,
  wired,
  type Layer,
  type Wire,
  type Wiring,
} from "../layers/index.js";
import { mostRepeats } from "../network-limits.js";
import { sequential } from "../sequential.js";
import type { Architecture } from "./architecture.js";

const schema = z.strictObject({
  cells: z
    .int()
    .min(1)
    .max(mostRepeats)
    .default(6)
    .describe("normal cells of each of the three groups: large 6, mobile 4"),
  filters: z
    .int()
    .min(96)
    .refine((filters) => filters % 96 === 0, { error: "expected a multiple of 96" })
    .default(4032)
    .describe(
      "channels of the last image, 24 times those of the first cells, a multiple of 96: large 4032, mobile 1056",
    ),
  stem: z.int().min(1).default(96).describe("filters of the first convolution: large 96, mobile 32"),
  skips: z
    .boolean()
    .default(true)
    .describe(
      "whether the cell behind a reduction reads the cell before the last one too: large does, mobile not",
    ),
  dropout: z.number().min(0).max(0.99).default(0.5).describe("rate before the last layer, in [0, 1)"),
  activation: z.enum(activationNames).default("relu"),
  initializer: z.enum(initializerNames).default("he-normal").describe("starting weights"),
});

type Options = z.output<typeof schema>;

/** What a cell is made of: the newer image, the older one, and what it joins as its result. */
type Cell = (h: Wire, older: Wire) => Wire;

const norm = (): Layer => batchNorm({ epsilon: 1e-3 });
const mean = (stride: number): Layer[] => [averagePooling(3, { stride, padding: 1 })];
const most = (stride: number): Layer[] => [maxPooling(3, { stride, padding: 1 })];

/** Activation – 1×1 convolution – batch-norm. */
const fitting = (filters: number, { activation: kind, initializer }: Options): Layer[] => [
  activation(kind),
  convolution(filters, 1, { bias: false, initializer }),
  norm(),
];

/** The same at half the size: every other pixel, from the first and from the second on, side by side. */
const halving = (filters: number, channels: number, { activation: kind, initializer }: Options): Layer[] => {
  const path = (offset: number, count: number): Layer[] => [
    subsample(channels, 2, offset),
    convolution(count, 1, { bias: false, initializer }),
  ];
  const first = Math.floor(filters / 2);
  return [activation(kind), branches(path(0, first), path(1, filters - first)), norm()];
};

/** Activation – depthwise – 1×1 convolution – batch-norm, twice; the first with the stride. */
function separable(kernel: number, stride: number, from: number, to: number, options: Options): Layer[] {
  const { initializer, activation: kind } = options;
  const half = (channels: number, by: number): Layer[] => [
    activation(kind),
    convolution(channels, kernel, {
      ...{ stride: by, padding: (kernel - 1) / 2, groups: channels, bias: false, initializer },
    }),
    convolution(to, 1, { bias: false, initializer }),
    norm(),
  ];
  return [...half(from, stride), ...half(to, 1)];
}

/** The cells over `wiring`, by the filters of their operations. */
function cellsOver(wiring: Wiring, options: Options) {
  let count = 0;
  const join = (wires: readonly Wire[]): Wire => wiring.join(`cell${++count}`, wires);
  const fitted = (x: Wire, filters: number): Wire => wiring.over(fitting(filters, options), x);
  const by = (x: Wire, kernel: number, stride: number, filters: number): Wire =>
    wiring.over(separable(kernel, stride, x.shape[0] ?? 0, filters, options), x);
  /** The older image, at the newer one's size. */
  const adjusted = (older: Wire, h: Wire, filters: number): Wire =>
    older.shape[1] === h.shape[1]
      ? fitted(older, filters)
      : wiring.over(halving(filters, older.shape[0] ?? 0, options), older);
  /** Five sums at half the size; four of them go on. */
  const reduced = (right: Wire, left: Wire, filters: number): Wire => {
    const first = wiring.sum(by(right, 5, 2, filters), by(left, 7, 2, filters));
    const second = wiring.sum(wiring.over(most(2), right), by(left, 7, 2, filters));
    const third = wiring.sum(wiring.over(mean(2), right), by(left, 5, 2, filters));
    const fourth = wiring.sum(wiring.over(mean(1), first), second);
    const fifth = wiring.sum(by(first, 3, 1, filters), wiring.over(most(2), right));
    return join([second, third, fourth, fifth]);
  };
  /** Keeps the size: 6·filters channels. */
  const normal =
    (filters: number): Cell =>
    (h, older) => {
      const [left, right] = [adjusted(older, h, filters), fitted(h, filters)];
      const smooth = (x: Wire): Wire => wiring.over(mean(1), x);
      return join([
        left,
        wiring.sum(by(right, 5, 1, filters), by(left, 3, 1, filters)),
        wiring.sum(by(left, 5, 1, filters), by(left, 3, 1, filters)),
        wiring.sum(smooth(right), left),
        wiring.sum(smooth(left), smooth(left)),
        wiring.sum(by(right, 3, 1, filters), right),
      ]);
    };
  /** Half the size: 4·filters channels. */
  const reduction =
    (filters: number): Cell =>
    (h, older) =>
      reduced(fitted(h, filters), adjusted(older, h, filters), filters);
  /** The first of all: there is no older image, and the newer one is read unfitted too. */
  const first =
    (filters: number): Cell =>
    (h) =>
      reduced(fitted(h, filters), h, filters);
  return { normal, reduction, first };
}

/** Two reductions, then three groups of normal cells with a reduction between. */
function wire(wiring: Wiring, x: Wire, options: Options): Wire {
  const { normal, reduction, first } = cellsOver(wiring, options);
  const filters = options.filters / 24;
  const images = [x];
  const add = (cell: Cell, back = 2): void => {
    const h = images.at(-1) ?? x;
    images.push(cell(h, images.at(-back) ?? x));
  };
  add(first(filters / 4));
  add(reduction(filters / 2));
  for (const [group, width] of [filters, 2 * filters, 4 * filters].entries()) {
    if (group > 0) add(reduction(width));
    for (let i = 0; i < options.cells; i++) add(normal(width), group > 0 && i === 0 && options.skips ? 3 : 2);
  }
  return images.at(-1) ?? x;
}

/**
 * 3×3 convolution of stride 2 – two reductions – three groups of normal cells, reductions between – activation – average –
 * dropout – dense; no auxiliary classifier, no drop-path. Large: 88,753,150 parameters, 23.8·10⁹ multiply–adds at 331×331;
 * mobile (cells 4, filters 1056, stem 32, skips false): 5,289,978.
 */
export const nasnet = unit("nasnet", "NASNet-A", schema, (options): Architecture => {
  const { initializer } = options;
  return ({ inputShape, classes }) =>
    sequential("nasnet", inputShape, [
      convolution(options.stem, 3, { stride: 2, bias: false, initializer }),
      norm(),
      wired("cells", (wiring, x) => wire(wiring, x, options)),
      activation(options.activation),
      globalAveragePooling(),
      ...dropped(options.dropout),
      dense(classes, { initializer }),
    ]);
});
