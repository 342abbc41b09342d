// What a network is refused for before anything of it is held: images that are too small, and sizes beyond limits.
import { describe, expect, it } from "vitest";
import { TemperError } from "../../src/base/errors.js";
import {
  capsnet,
  condensenet,
  convnet,
  lenet,
  nasnet,
  "inception-v3" as inception,
  "wide-resnet" as wideResnet,
} from "../../src/nn/architectures/index.js";
import { activation, dense, flatten } from "../../src/nn/layers/index.js";
import { sequential } from "../../src/nn/sequential.js";
import { smallestSide } from "../../src/nn/smallest-image.js";

const images = (channels: number, height: number, width = height) => ({
  inputShape: [channels, height, width],
  classes: 10,
});

describe("images that are too small", () => {
  it.each([
    ["lenet", lenet(), images(1, 15), "images of at least 16×16, got 15×15"],
    ["lenet", lenet(), images(1, 40, 9), "images of at least 16×16, got 40×9"],
    ["convnet", convnet(), images(1, 3), "images of at least 4×4, got 3×3"],
    ["capsnet", capsnet(), images(1, 16), "images of at least 17×17, got 16×16"],
    ["nasnet", nasnet({ cells: 1 }), images(3, 2), "images of at least 3×3, got 2×2"],
    [
      "condensenet",
      condensenet({ stages: [1, 1], growth: [4, 4] }),
      images(3, 1),
      "images of at least 2×2, got 1×1",
    ],
    [
      "inception-v3",
      inception({ stem: "cifar" }),
      images(3, 8),
      "images of at least 9×9 with stem=cifar, got 8×8 (allowed: stem=299 from 75×75 on)",
    ],
  ])("%s: %#", (name, architecture, input, message) => {
    expect(() => architecture(input)).toThrow(`${name}: expected ${message}`);
  });

  it("are not what other mistakes are taken for", () => {
    expect(() => lenet()({ inputShape: [784], classes: 10 })).toThrow(
      "conv1: expected an input [channels, height, width], got [784]",
    );
  });

  it("are found between what is refused and what is taken", () => {
    const from = (least: number) => (shape: readonly number[]) => {
      if ((shape[1] ?? 0) < least) throw new TemperError("too small");
    };
    expect([1, 2, 3, 32, 33, 1024].map((least) => smallestSide(from(least), [3, 1, 1]))).toEqual([
      1, 2, 3, 32, 33, 1024,
    ]);
    expect(smallestSide(from(1025), [3, 1, 1])).toBeNull();
    expect(smallestSide(from(1), [784])).toBeNull();
  });
});

describe("sizes beyond limits", () => {
  it("are refused layer by layer", () => {
    expect(() => sequential("net", [40_000_000], [dense(100)])).toThrow(
      "net.dense1: expected weights of at most 2,147,483,647 numbers, got [40000000, 100]",
    );
    expect(() => sequential("net", [2], [dense(600_000_000)])).toThrow(
      "net.dense1: expected an output of at most 536,870,912 numbers, got [600000000]",
    );
    expect(() => sequential("net", [3, 2 ** 14, 2 ** 14], [flatten(), dense(2)])).toThrow(
      "net: expected an input of at most 536,870,912 numbers, got [3, 16384, 16384]",
    );
  });

  it("are refused by the number of layers, those in blocks too", () => {
    const many = Array.from({ length: 5001 }, () => activation("relu"));
    expect(() => sequential("net", [2], many)).toThrow("net: expected at most 5,000 layers, got 5,001");
    expect(() => wideResnet({ depth: 3004, width: 1 })(images(3, 4))).toThrow(
      "wide-resnet: expected at most 5,000 layers, got 9,007",
    );
  });

  it("are refused in options before anything is built", () => {
    expect(() => wideResnet({ depth: 1_000_000 })).toThrow("wide-resnet.depth: expected number to be <=5000");
    expect(() => nasnet({ cells: 1_000_000_000 })).toThrow("nasnet.cells: expected number to be <=1000");
    expect(() => condensenet({ stages: [1_000_000_000], growth: [4] })).toThrow(
      "condensenet.stages.0: expected number to be <=1000",
    );
  });

  it.each([
    [{ groups: 3 }, "condensenet.growth: expected multiples of groups, 3, got [8]"],
    [
      { factor: 7 },
      "condensenet.factor: expected a divisor of 16, the largest one of the channels that each layer reads, got 7",
    ],
    [
      { denseFactor: 5 },
      "condensenet.denseFactor: expected a divisor of 24, the channels that the last layer reads, got 5",
    ],
    [{ growth: [8, 8] }, "condensenet.growth: expected as many numbers as stages, got [8,8]"],
    [
      { growth: undefined },
      "condensenet.growth: expected as many numbers as stages, got its default, [8,16,32]",
    ],
  ])("of CondenseNet's groups are named by the option: %j", (wrong, message) => {
    expect(() => condensenet({ stages: [1], growth: [8], ...wrong })).toThrow(message);
  });
});
