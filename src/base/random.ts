// Counter-based randomness: Threefry-4x32-20 (Salmon et al. 2011, "Parallel random numbers: as easy as
// 1, 2, 3"). Any position of any stream can be computed alone, so noise never depends on who asked before.

const parity = 0x1bd11bda;

/** The key of a stream: four words and their parity. */
type KeySchedule = Int32Array;

const scheduleOf = (k0: number, k1: number, k2: number, k3: number): KeySchedule =>
  Int32Array.of(k0, k1, k2, k3, parity ^ k0 ^ k1 ^ k2 ^ k3);

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

/**
 * Four words of Threefry-4x32-20 at `counter` (four words), written to `out[at …]`. Twenty rounds in five groups of
 * four, with two sets of rotations in turn; the key is added before each group and at the end.
 */
function threefryInto(key: KeySchedule, counter: Int32Array, out: Uint32Array, at: number): void {
  let x0 = ((counter[0] ?? 0) + (key[0] ?? 0)) | 0;
  let x1 = ((counter[1] ?? 0) + (key[1] ?? 0)) | 0;
  let x2 = ((counter[2] ?? 0) + (key[2] ?? 0)) | 0;
  let x3 = ((counter[3] ?? 0) + (key[3] ?? 0)) | 0;
  for (let group = 1; group <= 5; group++) {
    const odd = (group & 1) === 1;
    x0 = (x0 + x1) | 0;
    x1 = rotate(x1, odd ? 10 : 6) ^ x0;
    x2 = (x2 + x3) | 0;
    x3 = rotate(x3, odd ? 26 : 20) ^ x2;
    x0 = (x0 + x3) | 0;
    x3 = rotate(x3, odd ? 11 : 17) ^ x0;
    x2 = (x2 + x1) | 0;
    x1 = rotate(x1, odd ? 21 : 11) ^ x2;
    x0 = (x0 + x1) | 0;
    x1 = rotate(x1, odd ? 13 : 25) ^ x0;
    x2 = (x2 + x3) | 0;
    x3 = rotate(x3, odd ? 27 : 10) ^ x2;
    x0 = (x0 + x3) | 0;
    x3 = rotate(x3, odd ? 23 : 18) ^ x0;
    x2 = (x2 + x1) | 0;
    x1 = rotate(x1, odd ? 5 : 20) ^ x2;
    x0 = (x0 + (key[group % 5] ?? 0)) | 0;
    x1 = (x1 + (key[(group + 1) % 5] ?? 0)) | 0;
    x2 = (x2 + (key[(group + 2) % 5] ?? 0)) | 0;
    x3 = (x3 + (key[(group + 3) % 5] ?? 0) + group) | 0;
  }
  out[at] = x0;
  out[at + 1] = x1;
  out[at + 2] = x2;
  out[at + 3] = x3;
}

/** Four words of Threefry-4x32-20 for a key and a counter of four 32-bit words each. */
export function threefry(key: readonly number[], counter: readonly number[]): Uint32Array {
  const [k0 = 0, k1 = 0, k2 = 0, k3 = 0] = key;
  const out = new Uint32Array(4);
  threefryInto(scheduleOf(k0, k1, k2, k3), Int32Array.from(counter), out, 0);
  return out;
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

/** Bytes 0 and 1 for each of four bits, as one word. */
const bytesOfNibble = Uint32Array.from(
  { length: 16 },
  (_, bits) => new Uint32Array(Uint8Array.from([0, 1, 2, 3], (i) => (bits >>> i) & 1).buffer)[0] ?? 0,
);

/** One byte, 0 or 1, for each bit of `words`, lowest bit first. */
function spreadBits(words: Uint32Array, out: Uint8Array): void {
  const whole = out.byteOffset % 4 === 0 ? out.length >>> 2 : 0;
  const quads = new Uint32Array(out.buffer, whole === 0 ? 0 : out.byteOffset, whole);
  for (let i = 0; i < whole; i++)
    quads[i] = bytesOfNibble[((words[i >>> 3] ?? 0) >>> ((i & 7) << 2)) & 15] ?? 0;
  for (let i = whole << 2; i < out.length; i++) out[i] = ((words[i >>> 5] ?? 0) >>> (i & 31)) & 1;
}

/** The stream `name` under `seed` (a whole number in [0, 2⁵³)). */
export function randomStream(seed: number, name: string): RandomStream {
  // Made once and filled anew: training asks for thousands of short draws a second.
  const key = scheduleOf(seed >>> 0, Math.floor(seed / 2 ** 32), hashName(name), 0);
  const bare = key[4] ?? 0;
  const counter = new Int32Array(4);
  const block = new Uint32Array(4);
  const words: RandomStream["words"] = (out, at, offset = 0, length = out.length - offset) => {
    key[3] = at.round ?? 0;
    key[4] = bare ^ (at.round ?? 0);
    counter[1] = at.sample;
    counter[2] = at.iteration ?? 0;
    counter[3] = Math.floor(at.sample / 2 ** 32);
    const whole = length & ~3;
    for (let i = 0; i < whole; i += 4) {
      counter[0] = i >>> 2;
      threefryInto(key, counter, out, offset + i);
    }
    if (whole === length) return;
    counter[0] = whole >>> 2;
    threefryInto(key, counter, block, 0);
    for (let i = whole; i < length; i++) out[offset + i] = block[i - whole] ?? 0;
  };
  let scratch = new Uint32Array(64);
  /** At least `n` words, good until the next draw. */
  const draw = (n: number, at: Position): Uint32Array => {
    if (scratch.length < n) scratch = new Uint32Array(n);
    words(scratch, at, 0, n);
    return scratch;
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
        spreadBits(draw((out.length + 31) >>> 5, at), out);
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
