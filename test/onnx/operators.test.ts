// Each ONNX operator: the imported graph in float64 = the file itself in ONNX Runtime.
import { describe, expect, it } from "vitest";
import { floats } from "../../src/base/tensor.js";
import { knownOperators } from "../../src/onnx/domains.js";
import { drawn, expectSameAsRuntime } from "../support/against-runtime.js";
import { foreignFile } from "../support/onnx-builder.js";
import { domains } from "./cases/domains.js";
import { elementwise } from "./cases/elementwise.js";
import { indexing } from "./cases/indexing.js";
import { layers } from "./cases/layers.js";
import { quantized } from "./cases/quantized.js";
import { random } from "./cases/random.js";
import type { Cases } from "./cases/single.js";
import { structure } from "./cases/structure.js";

const cases: Cases = { ...elementwise, ...layers, ...structure, ...indexing, ...quantized, ...domains };

describe("imported operators", () => {
  it.each(Object.entries(cases))("%s", async (_, model) => {
    await expectSameAsRuntime(foreignFile(model));
  });

  it("every operator has a case", () => {
    const models = [...Object.values(cases), ...Object.values(random).map(({ model }) => model)];
    const nodes = models.flatMap((model) => model.nodes);
    const used = new Set(nodes.map(({ op, domain }) => (domain === undefined ? op : `${domain}.${op}`)));
    expect(knownOperators.filter((name) => !used.has(name))).toEqual([]);
  });

  it.each([7, 9, 11, 13, 18, 21, 26])("operator set %d: a network with any batch size", async (opset) => {
    const file = foreignFile({
      opset,
      x: ["N", 2, 6, 6],
      nodes: [
        {
          op: "Conv",
          in: ["x", "w", "b"],
          out: ["c"],
          attributes: { pads: [1, 1, 1, 1], kernel_shape: [3, 3] },
        },
        { op: "BatchNormalization", in: ["c", "s", "t", "m", "v"], out: ["n"] },
        { op: "Relu", in: ["n"], out: ["r"] },
        { op: "MaxPool", in: ["r"], out: ["p"], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
        { op: "Flatten", in: ["p"], out: ["f"] },
        { op: "Gemm", in: ["f", "d", "e"], out: ["z"] },
        { op: "Softmax", in: ["z"], attributes: { axis: 1 } },
      ],
      tensors: {
        w: drawn([3, 2, 3, 3], "w"),
        b: drawn([3], "b"),
        s: drawn([3], "s"),
        t: drawn([3], "t"),
        m: drawn([3], "m"),
        v: floats([3], [1, 2, 0.5]),
        d: drawn([27, 4], "d"),
        e: drawn([4], "e"),
      },
    });
    for (const batch of [2, 5]) await expectSameAsRuntime(file, batch);
  });
});
