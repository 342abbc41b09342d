// Einstein's summation: pairs of operands as batched matrix products, what is left summed and put in order.
import { check, fail } from "../../base/errors.js";
import { formatShape, multiplyDims, type Dim } from "../../base/shape.js";
import { floats } from "../../base/tensor.js";
import { constant, type Node } from "../../graph/node.js";
import { matmul, mul, reshape, sum, transpose } from "../../ops/index.js";
import type { Builder } from "../call.js";

/** A tensor whose axes have names: letters, or numbers for those that `…` stands for. */
interface Labelled {
  readonly node: Node;
  readonly labels: readonly string[];
}

const without = (labels: readonly string[], others: readonly string[]): string[] =>
  labels.filter((label) => !others.includes(label));
const shared = (labels: readonly string[], others: readonly string[]): string[] =>
  labels.filter((label) => others.includes(label));

/** The names of a term's axes; `…` stands for the last axes of `rank` that have no letter. */
function labelsOf(term: string, rank: number): string[] {
  const [before = "", behind] = term.split("...");
  const named = Array.from(before + (behind ?? ""));
  if (behind === undefined) return named;
  const hidden = Array.from({ length: rank - named.length }, (_, i) => String(rank - named.length - i));
  return [...Array.from(before), ...hidden, ...Array.from(behind)];
}

/** x with its axes in the order of `labels`. */
const ordered = ({ node, labels }: Labelled, order: readonly string[]): Node =>
  transpose(
    node,
    order.map((label) => labels.indexOf(label)),
  );

/** x summed over the axes that nothing else needs. */
function reduced({ node, labels }: Labelled, needed: readonly string[]): Labelled {
  const kept = shared(labels, needed);
  if (kept.length === labels.length) return { node, labels };
  const axes = labels.flatMap((label, i) => (needed.includes(label) ? [] : [i]));
  return { node: sum(node, { axes }), labels: kept };
}

/** x with each name once: of axes with the same name the diagonal. */
function diagonal({ node, labels }: Labelled): Labelled {
  const second = labels.findIndex((label, i) => labels.indexOf(label) < i);
  if (second < 0) return { node, labels };
  const first = labels.indexOf(labels[second] ?? "");
  const n = node.shape[first];
  if (typeof n !== "number" || n !== node.shape[second])
    return fail("attribute 'equation'", "a diagonal of a square", formatShape(node.shape));
  const shape = node.shape.map((_, i) => (i === first || i === second ? n : 1));
  const eye = Float32Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0));
  const masked = mul(node, constant(floats(shape, eye)));
  return diagonal({ node: sum(masked, { axes: [second] }), labels: labels.toSpliced(second, 1) });
}

/** a and b multiplied, and summed over the axes that both have and `needed` does not name. */
function product(a: Labelled, b: Labelled, needed: readonly string[]): Labelled {
  const [x, y] = [reduced(a, [...b.labels, ...needed]), reduced(b, [...a.labels, ...needed])];
  const both = shared(x.labels, y.labels);
  const batch = shared(both, needed);
  const inner = without(both, batch);
  const [rows, columns] = [without(x.labels, both), without(y.labels, both)];
  const sizeIn = ({ node, labels }: Labelled, names: readonly string[]): Dim[] =>
    names.map((name) => node.shape[labels.indexOf(name)] ?? 1);
  const merged = (sizes: readonly Dim[]): Dim => sizes.reduce((p, q) => multiplyDims(p, q), 1);
  const left = reshape(ordered(x, [...batch, ...rows, ...inner]), [
    ...sizeIn(x, batch),
    merged(sizeIn(x, rows)),
    merged(sizeIn(x, inner)),
  ]);
  const right = reshape(ordered(y, [...batch, ...inner, ...columns]), [
    ...sizeIn(y, batch),
    merged(sizeIn(y, inner)),
    merged(sizeIn(y, columns)),
  ]);
  const result = matmul(left, right);
  const sizes = [...result.shape.slice(0, batch.length), ...sizeIn(x, rows), ...sizeIn(y, columns)];
  return { node: reshape(result, sizes), labels: [...batch, ...rows, ...columns] };
}

/** The result's axes where the equation does not name them: letters that occur once, in order, behind those of `…`. */
function implicitLabels(operands: readonly Labelled[]): string[] {
  const all = operands.flatMap(({ labels }) => labels);
  const hidden = [...new Set(all.filter((label) => /\d/.test(label)))].sort((p, q) => Number(q) - Number(p));
  const letters = all.filter((label) => /\D/.test(label) && all.indexOf(label) === all.lastIndexOf(label));
  return [...hidden, ...letters.sort()];
}

export const Einsum: Builder = (call) => {
  const equation = call.text("equation", "").replace(/\s+/g, "");
  const [left = "", right] = equation.split("->");
  const terms = left.split(",");
  const nodes = call.values().map((_, i) => call.at(i));
  const fits = terms.length === nodes.length && /^[A-Za-z.,]*$/.test(left);
  check(fits, "attribute 'equation'", `${nodes.length} terms`, () => equation);
  const operands = nodes.map((node, i): Labelled => {
    const labels = labelsOf(terms[i] ?? "", node.shape.length);
    const fits = labels.length === node.shape.length;
    check(fits, "attribute 'equation'", `${node.shape.length} axes for input ${i + 1}`, () => equation);
    return diagonal({ node, labels });
  });
  const rank = Math.max(...operands.map(({ labels }) => labels.filter((label) => /\d/.test(label)).length));
  const letters = (right ?? "").replace("...", "").length;
  const result = right === undefined ? implicitLabels(operands) : labelsOf(right, letters + rank);
  const known = new Set(operands.flatMap(({ labels }) => labels));
  check(
    result.every((label) => known.has(label)),
    "attribute 'equation'",
    "axes that some input has",
    () => equation,
  );
  const [first, ...rest] = operands;
  if (first === undefined) return fail("inputs", "1 or more", "none");
  const total = rest.reduce((a, b, i) => {
    const later = rest.slice(i + 1).flatMap(({ labels }) => labels);
    return product(a, b, [...result, ...later]);
  }, first);
  return ordered(reduced(total, result), result);
};
