// Slices added up at places that are known: the file's value is the interpreter's, and nothing scatters.
import { afterAll, describe, expect, it } from "vitest";
import { B, type Shape } from "../../src/base/shape.js";
import { floats, tensor } from "../../src/base/tensor.js";
import { graphFunction } from "../../src/graph/function.js";
import { interpret, toArray64 } from "../../src/graph/interpret.js";
import { constant, input, type Node } from "../../src/graph/node.js";
import { exportFunction } from "../../src/onnx/export.js";
import { importGraph } from "../../src/onnx/import.js";
import { scatterAdd } from "../../src/ops/gather.js";
import { localEngine } from "../../src/runtime/engine.js";

const engine = localEngine({ threads: 1 });
afterAll(() => engine.close());

describe("scatterAdd at constant places", () => {
  it.each([
    ["each once", [2, 0, 1], 3, 0],
    ["some twice, some never", [3, 1, 3, 0, 1], 5, 0],
    ["as often as gathers are cheap", Array<number>(8).fill(1), 3, 0],
    ["too often for gathers", [...Array<number>(9).fill(1), 0], 3, 1],
    ["places of two axes", [0, 2, 2, 1], 3, 1],
  ])("%s", async (name, places, size, scatters) => {
    const isFlat = name !== "places of two axes";
    const at: Shape = isFlat ? [places.length] : [2, 2];
    const g = input("g", [B, ...at, 2]);
    const indices = constant(tensor("int32", at.map(Number), Int32Array.from(places)));
    const y: Node = scatterAdd(g, indices, 1, [B, size, 2]);
    const count = 3 * places.length * 2;
    const value = floats(
      [3, ...at.map(Number), 2],
      Float32Array.from({ length: count }, (_, i) => Math.sin(i)),
    );
    const file = exportFunction(graphFunction("sums", [g], { y }));
    const program = await engine.load(file);
    const result = await program.run({ g: { ...value, data: value.data.slice() } });
    await program.release();
    const [expected] = interpret([y], { batch: 3, values: { g: toArray64(value) } });
    expect(result["y"]?.shape).toEqual([3, size, 2]);
    expect(Array.from(result["y"]?.data ?? [], Number)).toEqual(
      Array.from(expected?.data ?? [], (sum) => expect.closeTo(sum, 5) as number),
    );
    const { nodes } = importGraph(file);
    expect(nodes.filter(({ operator }) => operator === "ScatterElements")).toHaveLength(scatters);
  });
});
