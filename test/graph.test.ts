// Graphs as functions: printing, simplification, verification, and the words of their errors.
import { describe, expect, it } from "vitest";
import { gradient } from "../src/autodiff/gradient.js";
import { B } from "../src/base/shape.js";
import { floats } from "../src/base/tensor.js";
import { graphFunction, topological } from "../src/graph/function.js";
import { constant, input, scope, type Node } from "../src/graph/node.js";
import { print } from "../src/graph/print.js";
import { simplify } from "../src/graph/simplify.js";
import { verify } from "../src/graph/verify.js";
import { multiplyAdds } from "../src/graph/work.js";
import {
  add,
  broadcastTo,
  exp,
  matmul,
  mul,
  relu,
  reshape,
  stopGradient,
  sub,
  sum,
} from "../src/ops/index.js";

const x = input("x", [B, 3]);
const w = input("w", [3, 2]);
const sizeOf = (...roots: readonly Node[]): number =>
  topological(roots).filter((node) => node.kind === "op").length;

describe("printing", () => {
  it("writes one line a node, in the order of evaluation", () => {
    const fn = graphFunction("layer", [x, w], { y: add(relu(matmul(x, w)), 0.5) });
    expect(print(fn)).toBe(
      [
        "layer(x: float32 [B, 3], w: float32 [3, 2])",
        "  %0 = matmul(x, w) {transposeA: false, transposeB: false} : float32 [B, 2]",
        "  %1 = relu(%0) : float32 [B, 2]",
        "  %2 = add(%1, 0.5) : float32 [B, 2]",
        "returns",
        "  y = %2",
      ].join("\n"),
    );
  });
});

describe("simplification", () => {
  const simplified = (y: Node): Node =>
    simplify(graphFunction("f", [x, w], { y })).outputs["y"] ?? constant(NaN);

  it("folds constants", () => {
    const y = simplified(add(exp(constant(0)), mul(2, 3)));
    expect(y.kind === "constant" && [...y.value.data]).toEqual([7]);
  });

  it("shares equal nodes, but not constants that differ in the sign of zero", () => {
    expect(sizeOf(simplified(add(exp(x), exp(x))))).toBe(2);
    const [plus, minus] = [0, -0].map((v) => constant(floats([3], [v, v, v])));
    expect(sizeOf(simplified(mul(add(x, plus ?? 0), add(x, minus ?? 0))))).toBe(3);
  });

  it("drops neutral operands, repeated operands and barriers", () => {
    expect(simplified(stopGradient(add(mul(x, 1), 0)))).toBe(x);
    const y = simplified(mul(x, broadcastTo(constant(floats([1, 3], [1, 2, 3])), [B, 3])));
    expect(sizeOf(y)).toBe(1);
    expect(sizeOf(simplified(reshape(reshape(x, [B, 3, 1]), [B, 1, 3])))).toBe(1);
  });

  it("comes to an end where three factors are all repeated", () => {
    const [row, column, fill] = [
      input("row", [B, 1, 4]),
      input("column", [B, 3, 1]),
      input("fill", [2, 1, 1, 1]),
    ];
    const y = mul(fill, mul(row, column));
    expect(simplify(graphFunction("f", [row, column, fill], { y })).outputs["y"]?.shape).toEqual(y.shape);
  });

  it("merges the two reverse walks of one loss", () => {
    const loss = sum(relu(matmul(x, w)));
    const [gx, gw] = [gradient(loss, [x])[0], gradient(loss, [w])[0]];
    if (!gx || !gw) return expect.unreachable();
    const fn = simplify(graphFunction("f", [x, w], { loss, gx, gw }));
    expect(sizeOf(...Object.values(fn.outputs))).toBeLessThan(sizeOf(loss, gx, gw));
  });
});

describe("verification", () => {
  it("throws where a node's type is not what its shape rule gives", () => {
    const broken = { ...exp(x), shape: [B, 4] };
    expect(() => verify(graphFunction("f", [x], { y: broken }))).toThrow(
      "graph 'f': exp: expected float32 [B, 3], got float32 [B, 4]",
    );
  });

  it("throws where an input is missing or named twice", () => {
    expect(() => graphFunction("f", [x], { y: matmul(x, w) })).toThrow(
      "f: expected every input that is used to be listed, got unlisted 'w'",
    );
    expect(() => graphFunction("f", [x, input("x", [])], { y: x })).toThrow(
      "f: expected inputs with different names, got x, x",
    );
  });
});

describe("derivatives", () => {
  it("need a scalar or a cotangent of the output's shape", () => {
    expect(() => gradient(x, [x])).toThrow(
      "gradient: expected a cotangent of shape [B, 3], got none, which needs a scalar",
    );
    expect(() => gradient(x, [x], { cotangent: w })).toThrow(
      "gradient: expected a cotangent of shape [B, 3], got [3, 2]",
    );
  });

  it("are zeros of the source's shape where nothing depends on it", () => {
    expect(gradient(sum(x), [w])[0]?.shape).toEqual([3, 2]);
  });
});

describe("work and scopes", () => {
  it("counts the multiply-adds of products at a batch size", () => {
    expect(multiplyAdds([matmul(x, w), matmul(x, w, {})], 10)).toBe(120);
  });

  it("carries the names under which a node was made", () => {
    expect(scope("a", () => scope("b", () => exp(x))).scope).toBe("a/b");
  });
});

describe("scopes", () => {
  const scopesOf = (...roots: readonly Node[]): string[] =>
    [...new Set(topological(roots).flatMap((node) => (node.kind === "op" ? [node.scope] : [])))].sort();
  const bias = input("dense1.bias", [2]);
  const weight = input("dense1.weight", [3, 2]);
  const layer = (h: Node): Node => scope("dense1", () => add(matmul(h, weight), reshape(bias, [1, 2])));

  it("name the layer whose gradient a node is part of, and of what", () => {
    const loss = scope("train", () => sum(relu(layer(relu(x)))));
    const parts = gradient(loss, [weight, bias, x]);
    expect(scopesOf(...parts)).toEqual([
      "train",
      "train/dense1",
      "train/dense1/gradient/bias",
      "train/dense1/gradient/input",
      "train/dense1/gradient/weight",
      "train/gradient",
    ]);
  });

  it("give the gradient of a gradient both names", () => {
    const [slope = x] = gradient(sum(scope("cube", () => mul(mul(x, x), x))), [x]);
    expect(scopesOf(...gradient(sum(slope), [x]))).toContain("cube/gradient/gradient");
  });

  it("stay through simplification; a product that takes something in keeps its own", () => {
    const y = scope("train", () => layer(x));
    const next = scope("optimizer", () =>
      sub(weight, mul(input("rate", []), gradient(sum(y), [weight])[0] ?? 0)),
    );
    const rate = topological([next]).filter((node) => node.kind === "input");
    const outputs = simplify(
      graphFunction("f", [...new Set([...rate, x, weight, bias])], { y, next }),
    ).outputs;
    const products = topological(Object.values(outputs)).filter(
      (node) => node.kind === "op" && node.op.multiplyAdds !== undefined,
    );
    const named = products.map((node) => [node.kind === "op" && node.op.name, node.scope]);
    expect(named).toEqual([
      ["gemm", "train/dense1"],
      ["matmul", "train/dense1/gradient/weight"],
    ]);
  });

  it("stay apart for several products taken in by one step", () => {
    const slope = (name: string): Node =>
      scope(name, () => matmul(input(name, [3, B]), input(`${name}2`, [B, 2])));
    const step = mul(input("rate", []), add(slope("first"), slope("second")));
    const next = scope("optimizer", () => sub(weight, step));
    const inputs = topological([next]).filter((node) => node.kind === "input");
    const { y } = simplify(graphFunction("f", inputs, { y: next })).outputs;
    const products = topological(y ? [y] : []).filter(
      (node) => node.kind === "op" && node.op.multiplyAdds !== undefined,
    );
    expect(products.map(({ scope: at }) => at).sort()).toEqual(["first", "second"]);
  });
});
