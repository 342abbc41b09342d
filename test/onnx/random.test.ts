// Random operators: what they make of the numbers that the host draws.
import { describe, expect, it } from "vitest";
import type { NoiseRequest } from "../../src/base/noise.js";
import { B } from "../../src/base/shape.js";
import { interpret } from "../../src/graph/interpret.js";
import { input, type Node } from "../../src/graph/node.js";
import { buildGraph, importGraph, outputNode } from "../../src/onnx/import.js";
import { foreignFile, type ForeignModel } from "../support/onnx-builder.js";
import { bool, one } from "./cases/single.js";
import { random } from "./cases/random.js";

const xs = Float64Array.of(0.1, 0.9, 0.4, 0.6, 0.2, 0.7);
const numbers = { normal: [-1.5, 0, 2, 0.3, -0.2, 1], uniform: [0.2, 0.8, 0.4, 0, 0.1, 0.9] };
const drawnFor = (kind: NoiseRequest["kind"]): Float64Array =>
  Float64Array.from(kind === "bernoulli" ? [1, 0, 1, 1, 0, 0] : numbers[kind]);

/** The model's output on two rows, and what it asked of the host. */
function run(model: ForeignModel, dropsOut = false) {
  const graph = importGraph(foreignFile(model));
  const asked: NoiseRequest[] = [];
  const draw = (request: NoiseRequest): Node => {
    asked.push(request);
    return input("noise", request.shape);
  };
  const built = buildGraph(graph, input("x", [B, 3]), { draw, dropsOut });
  const shape = [2, 3];
  const values = {
    x: { shape, data: xs },
    noise: { shape, data: drawnFor(asked[0]?.kind ?? "uniform") },
  };
  const [y] = interpret([outputNode(built, graph.output)], { batch: 2, values });
  return { y: [...(y?.data ?? [])], asked };
}

describe("random operators", () => {
  it.each(Object.entries(random))("%s", (_, { model, kind, y }) => {
    const found = run(model);
    expect(found.asked).toMatchObject([{ name: "y", shape: [B, 3], kind }]);
    [...xs].forEach((x, i) => expect(found.y[i]).toBeCloseTo(y(x, drawnFor(kind)[i] ?? NaN), 6));
  });

  it("a mask of dropout is what was kept, and its rate is asked for", () => {
    const nodes = [
      { op: "Dropout", in: ["x", "ratio", "on"], out: ["d", "mask"] },
      { op: "Cast", in: ["mask"], attributes: { to: 1 } },
    ];
    const { y, asked } = run({ nodes, tensors: { ratio: one(0.25), on: bool(true) } });
    expect(asked).toMatchObject([{ kind: "bernoulli", p: 0.75 }]);
    expect(y).toEqual([1, 0, 1, 1, 0, 0]);
  });

  it("dropout draws where its node says so or the import does, not with a rate of 0", () => {
    const quiet: ForeignModel = { nodes: [{ op: "Dropout", in: ["x"] }] };
    expect(run(quiet)).toEqual({ y: [...xs], asked: [] });
    expect(run(quiet, true).y[0]).toBeCloseTo(0.2, 6);
    expect(run(quiet, true).y[1]).toBe(0);
    const none: ForeignModel = {
      nodes: [{ op: "Dropout", in: ["x", "ratio", "on"] }],
      tensors: { ratio: one(0), on: bool(true) },
    };
    expect(run(none).asked).toEqual([]);
  });
});
