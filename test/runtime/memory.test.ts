// The prediction of the engine's memory: each of its parts on graphs and requests small enough to do by hand.
import { describe, expect, it } from "vitest";
import { B, resolveShape } from "../../src/base/shape.js";
import { graphFunction } from "../../src/graph/function.js";
import { gradient } from "../../src/autodiff/gradient.js";
import { apply, input, type InputNode, type Node } from "../../src/graph/node.js";
import { anyRuntime, type Target } from "../../src/graph/op.js";
import { exportFunction, exportLoop } from "../../src/onnx/export.js";
import { add, mul } from "../../src/ops/arithmetic.js";
import { conv } from "../../src/ops/conv.js";
import * as ops from "../../src/ops/index.js";
import { sum } from "../../src/ops/reduce.js";
import { emptyArena } from "../../src/runtime/memory/arena.js";
import { buffersOf, peakOf } from "../../src/runtime/memory/buffers.js";
import { engineMemory } from "../../src/runtime/memory/engine-memory.js";
import { executionOf, executionOrder, type Execution } from "../../src/runtime/memory/nodes.js";
import { resultsOf } from "../../src/runtime/memory/shapes.js";
import { draw } from "../support/samples.js";

const batch = 3;
const batchInput = input("batchSource", [B]);

describe("the shapes of what operations are written as", () => {
  const registered = Object.values(ops).flatMap((value) => ("op" in value ? [value.op] : []));

  const blocked = { ...anyRuntime, block: 1 };
  const targets = [
    anyRuntime,
    { ...anyRuntime, narrow: true },
    blocked,
    { ...blocked, constantFilters: true },
  ];

  function expectShape(inputs: readonly InputNode[], output: Node, target: Target): void {
    const fn = graphFunction("example", [...inputs, batchInput], { y: output });
    const { values, outputs } = executionOf(exportFunction(fn, { target }), { batch });
    const value = values.get(outputs[0] ?? "");
    expect([value?.dtype, value?.shape]).toEqual([output.dtype, resolveShape(output.shape, batch)]);
  }

  it.each(registered.map((op) => [op.name, op] as const))("%s", (_, op) => {
    for (const example of op.examples) {
      const { nodes } = draw(example.inputs, batch);
      const output = apply(op, nodes, example.attributes);
      for (const target of targets) expectShape(nodes, output, target);
    }
  });

  it("convolutions whose filters are larger than the cache, on one pixel, and their gradients", () => {
    const [x, w] = [input("x", [B, 512, 1, 1]), input("w", [512, 512, 3, 3])];
    const y = conv(x, w, { pads: [1, 1, 1, 1] });
    const [dx, dw] = gradient(sum(mul(y, y)), [x, w]);
    for (const target of targets)
      for (const output of [y, dx, dw]) if (output) expectShape([x, w], output, target);
  });

  it("are never guessed", () => {
    expect(() => resultsOf("Mystery", [{ shape: [1], dtype: "float32" }], {})).toThrow(
      "memory: expected operators whose shapes are known, got Mystery",
    );
  });
});

const step = (operator: string, inputs: string, outputs: string) => ({
  operator,
  inputs: inputs.split(" "),
  outputs: outputs.split(" "),
});

describe("the order of execution", () => {
  it("goes depth first from the last end, late inputs first", () => {
    const nodes = [
      step("A", "x", "a"),
      step("B", "x", "b"),
      step("C", "a", "c"),
      step("D", "a b", "d"),
      step("E", "c", "e"),
    ];
    expect(
      executionOrder(nodes)
        .map(({ operator }) => operator)
        .join(""),
    ).toBe("ACEBD");
  });
});

/** Values of so many floats by name, all but the results freed. */
function execution(
  nodes: Execution["nodes"],
  sizes: Readonly<Record<string, number>>,
  outputs: string,
): Execution {
  const values = Object.entries(sizes).map(
    ([name, size]) => [name, { shape: [size], dtype: "float32" }] as const,
  );
  return { nodes, values: new Map(values), outputs: outputs.split(" ") };
}

describe("buffers", () => {
  it("live from the node that writes them to the last one that reads them; what the caller holds takes none", () => {
    const nodes = [step("A", "x", "a"), step("B", "a", "b"), step("C", "a b", "y")];
    expect(buffersOf(execution(nodes, { x: 1, a: 2, b: 3, y: 4 }, "y"))).toEqual([
      { bytes: 8, from: 0, to: 2, returned: false },
      { bytes: 12, from: 1, to: 2, returned: false },
      { bytes: 16, from: 2, to: 2, returned: true },
    ]);
  });

  it("are kept for the next value of the same shape", () => {
    const nodes = [step("A", "x", "a"), step("B", "a", "b"), step("C", "b", "c"), step("D", "c", "y")];
    expect(buffersOf(execution(nodes, { x: 1, a: 5, b: 3, c: 5, y: 1 }, "y"))).toEqual([
      { bytes: 20, from: 0, to: 3, returned: false },
      { bytes: 12, from: 1, to: 2, returned: false },
      { bytes: 4, from: 3, to: 3, returned: true },
    ]);
  });

  it("are shared by a view, which keeps them alive", () => {
    const nodes = [
      step("A", "x", "a"),
      step("Reshape", "a s", "r"),
      step("B", "x", "b"),
      step("C", "r b", "y"),
    ];
    expect(buffersOf(execution(nodes, { x: 1, a: 6, r: 6, b: 2, y: 1 }, "y"))).toEqual([
      { bytes: 24, from: 0, to: 3, returned: false },
      { bytes: 8, from: 2, to: 3, returned: false },
      { bytes: 4, from: 3, to: 3, returned: true },
    ]);
  });

  it("add up to a peak, results included", () => {
    const nodes = [step("A", "x", "a"), step("B", "a", "y"), step("C", "a", "c"), step("D", "c", "z")];
    // a + y, a + y + c, then y + c + z.
    expect(peakOf(buffersOf(execution(nodes, { x: 9, a: 3, y: 2, c: 4, z: 6 }, "y z")))).toBe(4 * 12);
  });
});

const MiB = 2 ** 20;

describe("the arena", () => {
  it("asks for regions that double, and for larger ones where it must", () => {
    const arena = emptyArena();
    const sizes = [MiB, MiB, 3 * MiB].map((bytes) => arena.allocate(bytes));
    expect(sizes.map(({ region }) => region.bytes / MiB)).toEqual([1, 2, 4]);
  });

  it("counts what was written, once", () => {
    const arena = emptyArena();
    const first = arena.allocate(MiB / 4);
    expect(arena.resident()).toBe(MiB / 4);
    arena.free(first);
    arena.allocate(MiB / 8);
    expect(arena.resident()).toBe(MiB / 4);
  });

  it("counts pages that pieces share, and those between them, once", () => {
    const arena = emptyArena();
    const [first, , third] = [arena.allocate(5000), arena.allocate(5000), arena.allocate(40000)];
    expect(arena.resident()).toBe(4 * 16384);
    arena.free(third);
    arena.free(first);
    arena.allocate(30000);
    expect(arena.resident()).toBe(4 * 16384);
  });

  it("plays through what no machine has", () => {
    const arena = emptyArena();
    arena.allocate(2 ** 50);
    expect(arena.resident()).toBe(2 ** 50);
  });

  it("joins free neighbours and takes the smallest piece that is large enough", () => {
    const arena = emptyArena();
    const [a, b, c] = [arena.allocate(MiB / 4), arena.allocate(MiB / 4), arena.allocate(MiB / 4)];
    arena.free(c);
    arena.free(a);
    expect(arena.allocate(MiB / 4).offset).toBe(0);
    arena.free(b);
    expect(arena.allocate(MiB / 2).offset).toBe(MiB / 4);
  });

  it("does not split a piece of which less than half would be left", () => {
    const arena = emptyArena();
    expect(arena.allocate(0.75 * MiB).bytes).toBe(MiB);
  });
});

describe("the memory of a loop", () => {
  const w = input("w", [1000]);
  const x = input("x", [B, 1000]);
  const next = add(w, sum(mul(x, w), { axes: [0] }));
  const file = exportLoop({
    name: "loop",
    carried: [{ input: w, next }],
    scanned: [x],
    invariant: [],
    outputs: {},
  });

  it("needs the slice of x and the product at once", () => {
    expect(engineMemory(file, batch).activations).toBe(2 * 4000 * batch);
  });

  it("grows with the batch", () => {
    const [small, large] = [engineMemory(file, 100), engineMemory(file, 1000)];
    expect(large.resident - small.resident).toBeGreaterThan(4000 * 900);
  });
});
