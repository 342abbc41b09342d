// Attention as one operator: softmax(Q·Kᵀ·scale + mask)·V over heads, and rotary positions (Su et al. 2021).
import { check, fail } from "../../base/errors.js";
import { formatDim, formatShape, multiplyDims, type Dim } from "../../base/shape.js";
import { floats } from "../../base/tensor.js";
import { constant, type Node } from "../../graph/node.js";
import {
  add,
  broadcastTo,
  concat,
  div,
  matmul,
  mul,
  pad,
  reshape,
  slice,
  softmax,
  sub,
  tanh,
  transpose,
} from "../../ops/index.js";
import type { Builder, Call } from "../call.js";
import { take } from "../elements.js";

/** [batch, length, heads·size] as [batch, heads, length, size]; tensors of rank 4 stay. */
function byHeads(x: Node, heads: number): Node {
  if (x.shape.length === 4) return x;
  const [rows = 1, length = 1, width = 1] = x.shape;
  const fits = x.shape.length === 3 && heads >= 1 && typeof width === "number" && width % heads === 0;
  check(fits, "input", `[batch, length, a multiple of ${heads}]`, () => formatShape(x.shape));
  return transpose(reshape(x, [rows, length, heads, width / heads]), [0, 2, 1, 3]);
}

/** [batch, heads, …] with each head repeated so that there are `heads`. */
function repeatHeads(x: Node, heads: Dim): Node {
  const [rows = 1, own = 1, ...rest] = x.shape;
  if (own === heads) return x;
  const times = Number(heads) / Number(own);
  check(Number.isInteger(times), "input", `a divisor of ${Number(heads)} heads`, () => formatDim(own));
  const wide = broadcastTo(reshape(x, [rows, own, 1, ...rest]), [rows, own, times, ...rest]);
  return reshape(wide, [rows, heads, ...rest]);
}

/** What keeps a position from being seen. */
const hidden = -1e9;

/** The mask as a term of the scores: booleans hide where they do not hold; missing columns are hidden. */
function maskTerm(call: Call, index: number, columns: Dim): Node {
  const given = call.value(index);
  const isBoolean = given.dtype === "bool";
  const term = isBoolean ? mul(sub(1, call.at(index)), hidden) : call.at(index);
  const missing = Number(columns) - Number(term.shape.at(-1) ?? 1);
  if (missing <= 0) return term;
  const side = term.shape.map((_, i) => (i === term.shape.length - 1 ? missing : 0));
  const seen = pad(
    broadcastTo(1, term.shape),
    side.map(() => 0),
    side,
  );
  return add(
    pad(
      term,
      side.map(() => 0),
      side,
    ),
    mul(sub(1, seen), hidden),
  );
}

/** Hides the positions behind each query's own, which comes `past` positions later. */
function causalTerm(rows: Dim, columns: Dim, past: number): Node {
  const [m, n] = [Number(rows), Number(columns)];
  check(m * n <= 2 ** 24, "input 1", "at most 4096 positions", () => String(m));
  const data = Float32Array.from({ length: m * n }, (_, i) =>
    i % n > Math.floor(i / n) + past ? hidden : 0,
  );
  return constant(floats([m, n], data));
}

/** Keys or values behind those of the past. */
const behind = (call: Call, past: number, x: Node): Node =>
  call.has(past) ? concat([call.at(past), x], 2) : x;

export const Attention: Builder = (call) => {
  if (call.has(6)) return fail("input 7", "keys without padding", "lengths without it");
  const q = byHeads(call.at(0), call.int("q_num_heads", 0));
  const keyHeads = call.int("kv_num_heads", 0);
  const [keys, values] = [1, 2].map((i) => behind(call, i + 3, byHeads(call.at(i), keyHeads)));
  if (keys === undefined || values === undefined) return [];
  const [batch = 1, heads = 1, length = 1, size = 1] = q.shape;
  const [k, v] = [repeatHeads(keys, heads), repeatHeads(values, heads)];
  const scale = call.float("scale", 0) || 1 / Math.sqrt(Number(size));
  const columns = k.shape[2] ?? 1;
  const products = mul(matmul(q, k, { transposeB: true }), scale);
  const cap = call.float("softcap", 0);
  const masked = call.has(3) ? maskTerm(call, 3, columns) : null;
  const past = call.has(4) ? Number(call.at(4).shape[2] ?? 0) : 0;
  const causal = call.int("is_causal", 0) !== 0 ? causalTerm(length, columns, past) : null;
  const capped = cap > 0 ? mul(tanh(div(products, cap)), cap) : products;
  const scores = [masked, causal].reduce<Node>((sum, term) => (term ? add(sum, term) : sum), capped);
  const weights = softmax(scores);
  const y = matmul(weights, v);
  const width = multiplyDims(heads, y.shape[3] ?? 1);
  const flat =
    call.at(0).shape.length === 4 ? y : reshape(transpose(y, [0, 2, 1, 3]), [batch, length, width]);
  const stage = [products, capped, scores, weights][call.int("qk_matmul_output_mode", 0)];
  return [flat, keys, values, stage];
};

/** Pairs of features turned by the angle of their position. */
export const RotaryEmbedding: Builder = (call) => {
  const given = call.at(0);
  const x = given.shape.length === 4 ? transpose(given, [0, 2, 1, 3]) : unmerged(call, given);
  const last = Number(x.shape[3]);
  const size = call.int("rotary_embedding_dim", 0) || last;
  const half = size / 2;
  const [cosines, sines] = [1, 2].map((i) => anglesAt(call, i, half));
  const features = (from: readonly number[]): Node => take(x, { shape: [from.length], data: from }, 3);
  const interleaved = call.int("interleaved", 0) !== 0;
  const places = Array.from({ length: half }, (_, i) => i);
  const first = features(places.map((i) => (interleaved ? 2 * i : i)));
  const second = features(places.map((i) => (interleaved ? 2 * i + 1 : i + half)));
  const [p, q] = [
    sub(mul(first, cosines ?? 1), mul(second, sines ?? 0)),
    add(mul(first, sines ?? 0), mul(second, cosines ?? 1)),
  ];
  const [rows = 1, length = 1, heads = 1] = x.shape;
  const pairs = (v: Node): Node => reshape(v, [rows, length, heads, half, 1]);
  const turned = interleaved
    ? reshape(concat([pairs(p), pairs(q)], 4), [rows, length, heads, size])
    : concat([p, q], 3);
  const rest = slice(x, { axes: [3], starts: [size], ends: [last] });
  const y = size === last ? turned : concat([turned, rest], 3);
  return given.shape.length === 4 ? transpose(y, [0, 2, 1, 3]) : reshape(y, given.shape);
};

/** [batch, length, heads·size] as [batch, length, heads, size]. */
function unmerged(call: Call, x: Node): Node {
  const heads = call.int("num_heads", 0);
  const [rows = 1, length = 1, width = 1] = x.shape;
  const fits = heads >= 1 && typeof width === "number" && width % heads === 0;
  check(fits, "attribute 'num_heads'", "a divisor of the last size", () => String(heads));
  return reshape(x, [rows, length, heads, width / heads]);
}

/** Cosines or sines beside [batch, length, heads, half]; the rows of `position_ids` where they are given. */
function anglesAt(call: Call, index: number, half: number): Node {
  const table = call.at(index);
  const rows = call.has(3) ? take(table, call.numbers(3), 0) : table;
  const cut = slice(rows, { axes: [rows.shape.length - 1], starts: [0], ends: [half] });
  const [first = 1, second = 1] = cut.shape;
  return reshape(cut, [first, second, 1, half]);
}
