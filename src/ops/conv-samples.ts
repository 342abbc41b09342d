// What the contract suite holds convolutions to.
import { B, type Shape } from "../base/shape.js";
import type { ConvAttributes } from "./conv-sizes.js";

export const plain: ConvAttributes = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], groups: 1 };

/** One convolution of the contract suite, from which all three operations take their examples. */
export const samples: readonly { x: Shape; w: readonly number[]; y: Shape; spec: ConvAttributes }[] = [
  { x: [2, 2, 4, 3], w: [3, 2, 2, 2], y: [2, 3, 3, 2], spec: plain },
  { x: [B, 2, 5, 4], w: [2, 2, 3, 3], y: [B, 2, 5, 4], spec: { ...plain, pads: [1, 1, 1, 1] } },
  {
    x: [B, 2, 6, 5],
    w: [4, 1, 3, 2],
    y: [B, 4, 3, 2],
    spec: { strides: [2, 3], dilations: [1, 2], pads: [0, 1, 2, 0], groups: 2 },
  },
  {
    x: [{ batch: 2, plus: 0 }, 3, 4, 4],
    w: [3, 1, 2, 2],
    y: [{ batch: 2, plus: 0 }, 3, 2, 1],
    spec: { ...plain, strides: [2, 3], groups: 3 },
  },
  { x: [2, 1, 8, 7], w: [1, 1, 2, 2], y: [2, 1, 2, 2], spec: { ...plain, strides: [5, 4] } },
  { x: [2, 2, 3, 3], w: [12, 1, 2, 2], y: [2, 12, 2, 2], spec: { ...plain, groups: 2 } },
  { x: [B, 3, 2, 3], w: [4, 3, 2, 3], y: [B, 4, 1, 1], spec: plain },
  {
    x: [B, 8, 3, 4],
    w: [2, 8, 3, 2],
    y: [B, 2, 2, 3],
    spec: { ...plain, dilations: [1, 2], pads: [1, 1, 0, 0] },
  },
  { x: [B, 16, 4, 3], w: [32, 16, 3, 3], y: [B, 32, 4, 3], spec: { ...plain, pads: [1, 1, 1, 1] } },
  {
    x: [B, 8, 7, 6],
    w: [16, 8, 4, 4],
    y: [B, 16, 3, 2],
    spec: { ...plain, strides: [2, 2], pads: [1, 0, 1, 0] },
  },
  { x: [2, 8, 2, 2], w: [1, 8, 1, 2], y: [2, 1, 3, 4], spec: { ...plain, pads: [0, 2, 1, 1] } },
  {
    x: [2, 2, 5],
    w: [3, 2, 2],
    y: [2, 3, 3],
    spec: { strides: [2], dilations: [2], pads: [1, 1], groups: 1 },
  },
];

/** Convolutions with a bias per filter. */
export const biasedSamples: readonly { x: Shape; w: readonly number[]; spec: ConvAttributes }[] = [
  { x: [B, 2, 4, 3], w: [3, 2, 2, 2], spec: { ...plain, pads: [1, 0, 1, 0] } },
  { x: [B, 3, 2, 3], w: [4, 3, 2, 3], spec: plain },
  { x: [2, 2, 3, 3], w: [12, 1, 2, 2], spec: { ...plain, groups: 2 } },
];
