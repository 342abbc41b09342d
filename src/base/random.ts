// Counter-based randomness: Threefry-4x32-20 (Salmon et al. 2011, "Parallel random numbers: as easy as
// 1, 2, 3"). Any position of any stream can be computed alone, so noise never depends on who asked before.

const parity = 0x1bd11bda;
const rotations = [10, 26, 11, 21, 13, 27, 23, 5, 6, 20, 17, 11, 25, 10, 18, 20] as const;

/**
 * Four words of Threefry-4x32-20 for a key and a counter of four 32-bit words each, written to `out[at …]`.
 * Twenty rounds; keys are injected every fourth.
 */
export function threefry(key: Uint32Array, counter: readonly number[], out: Uint32Array, at = 0): void {
  const [k0 = 0, k1 = 0, k2 = 0, k3 = 0] = key;
  const schedule = [k0, k1, k2, k3, parity ^ k0 ^ k1 ^ k2 ^ k3];
  let x0 = ((counter[0] ?? 0) + k0) | 0;
  let x1 = ((counter[1] ?? 0) + k1) | 0;
  let x2 = ((counter[2] ?? 0) + k2) | 0;
  let x3 = ((counter[3] ?? 0) + k3) | 0;
  for (let block = 0; block < 5; block++) {
    for (let round = 0; round < 4; round++) {
      const r = ((block & 1) * 4 + round) * 2;
      const [a, b] = [rotations[r] ?? 0, rotations[r + 1] ?? 0];
      if (round & 1) {
        x0 = (x0 + x3) | 0;
        x3 = ((x3 << a) | (x3 >>> (32 - a))) ^ x0;
        x2 = (x2 + x1) | 0;
        x1 = ((x1 << b) | (x1 >>> (32 - b))) ^ x2;
      } else {
        x0 = (x0 + x1) | 0;
        x1 = ((x1 << a) | (x1 >>> (32 - a))) ^ x0;
        x2 = (x2 + x3) | 0;
        x3 = ((x3 << b) | (x3 >>> (32 - b))) ^ x2;
      }
    }
    const s = block + 1;
    x0 = (x0 + (schedule[s % 5] ?? 0)) | 0;
    x1 = (x1 + (schedule[(s + 1) % 5] ?? 0)) | 0;
    x2 = (x2 + (schedule[(s + 2) % 5] ?? 0)) | 0;
    x3 = (x3 + (schedule[(s + 3) % 5] ?? 0) + s) | 0;
  }
  out[at] = x0;
  out[at + 1] = x1;
  out[at + 2] = x2;
  out[at + 3] = x3;
}

/** Where in the space of random numbers to draw: each field is part of the address, none is a state. */
export interface Position {
  /** Which sample (index in its dataset) or which tensor the numbers belong to. */
  readonly sample: number;
  /** Which epoch or restart. */
  readonly round?: number;
  /** Which iteration within the round. */
  readonly iteration?: number;
}

/** FNV-1a hash of a stream's name, one word of the key. */
function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** A named, seeded stream of random numbers, addressable at any position. */
export interface RandomStream {
  /** Fills `out[offset … offset + length)` with 32-bit words. */
  words(out: Uint32Array, at: Position, offset?: number, length?: number): void;
  /** Fills `out` with numbers uniform in [low, high). */
  uniform(out: Float32Array, at: Position, range?: readonly [low: number, high: number]): void;
  /** Fills `out` with standard normal numbers (Box–Muller). */
  normal(out: Float32Array, at: Position): void;
  /** Fills `out` with 1 (probability p) or 0; p = 0.5 costs one bit each, any other p 32 bits. */
  bernoulli(out: Uint8Array, at: Position, p: number): void;
  /** A permutation of 0 … n − 1 (Fisher–Yates). */
  permutation(n: number, at: Position): Uint32Array;
}

const toUnit = 2 ** -24;

/** The stream `name` under `seed` (a whole number in [0, 2⁵³)). */
export function randomStream(seed: number, name: string): RandomStream {
  const key = new Uint32Array(4);
  const counter = [0, 0, 0, 0];
  const block = new Uint32Array(4);
  const words: RandomStream["words"] = (out, at, offset = 0, length = out.length - offset) => {
    key.set([seed >>> 0, Math.floor(seed / 2 ** 32), hashName(name), at.round ?? 0]);
    [counter[1], counter[2], counter[3]] = [at.sample, at.iteration ?? 0, Math.floor(at.sample / 2 ** 32)];
    const whole = length & ~3;
    for (let i = 0; i < whole; i += 4) {
      counter[0] = i >>> 2;
      threefry(key, counter, out, offset + i);
    }
    if (whole === length) return;
    counter[0] = whole >>> 2;
    threefry(key, counter, block);
    for (let i = whole; i < length; i++) out[offset + i] = block[i - whole] ?? 0;
  };
  const draw = (n: number, at: Position): Uint32Array => {
    const out = new Uint32Array(n);
    words(out, at);
    return out;
  };
  return {
    words,
    uniform(out, at, [low, high] = [0, 1]) {
      const bits = draw(out.length, at);
      for (let i = 0; i < out.length; i++) out[i] = low + (high - low) * ((bits[i] ?? 0) >>> 8) * toUnit;
    },
    normal(out, at) {
      const bits = draw(out.length + (out.length & 1), at);
      for (let i = 0; i < out.length; i += 2) {
        const radius = Math.sqrt(-2 * Math.log((((bits[i] ?? 0) >>> 8) + 0.5) * toUnit));
        const angle = 2 * Math.PI * ((bits[i + 1] ?? 0) >>> 8) * toUnit;
        out[i] = radius * Math.cos(angle);
        if (i + 1 < out.length) out[i + 1] = radius * Math.sin(angle);
      }
    },
    bernoulli(out, at, p) {
      if (p === 0.5) {
        const bits = draw((out.length + 31) >>> 5, at);
        for (let i = 0; i < out.length; i++) out[i] = ((bits[i >>> 5] ?? 0) >>> (i & 31)) & 1;
      } else {
        const bits = draw(out.length, at);
        const threshold = p * 2 ** 32;
        for (let i = 0; i < out.length; i++) out[i] = (bits[i] ?? 0) < threshold ? 1 : 0;
      }
    },
    permutation(n, at) {
      const order = Uint32Array.from({ length: n }, (_, i) => i);
      const bits = draw(n, at);
      for (let i = n - 1; i > 0; i--) {
        const j = Math.floor(((bits[i] ?? 0) / 2 ** 32) * (i + 1));
        const held = order[i] ?? 0;
        order[i] = order[j] ?? 0;
        order[j] = held;
      }
      return order;
    },
  };
}
