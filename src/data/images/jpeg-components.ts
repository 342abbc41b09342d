// JPEGs of three of a JPEG's four components (CMYK, YCCK), for a decoder that knows three: each block's bits are copied
// or left out as they are, so what is left decodes to the same numbers. ITU-T T.81: B.2 markers, F.2 and G.2 Huffman codes.
import { check } from "../../base/errors.js";

/** A component of the frame. */
interface Component {
  readonly id: number;
  /** Blocks in a unit of an interleaved scan, across and down. */
  readonly across: number;
  readonly down: number;
}

/** What the segments so far have said. */
interface State {
  readonly path: string;
  /** Codes by class (DC 0, AC 1) · 16 + number: length · 256 + symbol for each 16 bits that begin with one. */
  readonly codes: Map<number, Uint16Array>;
  components: readonly Component[];
  /** Units of interleaved scans in all, and between two restart markers (0: there are none). */
  units: number;
  interval: number;
}

const marks = { start: 0xd8, end: 0xd9, scan: 0xda, codes: 0xc4, interval: 0xdd, adobe: 0xee } as const;
const isRestart = (marker: number): boolean => marker >= 0xd0 && marker <= 0xd7;

const damaged = (): never => {
  throw new Error("its blocks cannot be told apart");
};

function readCodes(segment: Uint8Array, codes: State["codes"]): void {
  for (let at = 0; at < segment.length;) {
    const table = new Uint16Array(2 ** 16);
    const counts = segment.subarray(at + 1, at + 17);
    let [code, symbol] = [0, at + 17];
    counts.forEach((count, i) => {
      const free = 15 - i;
      for (let k = 0; k < count; k++, code++, symbol++)
        table.fill(((i + 1) << 8) | (segment[symbol] ?? 0), code << free, (code + 1) << free);
      code <<= 1;
    });
    codes.set(segment[at] ?? 0, table);
    at = symbol;
  }
}

/** Takes bits of `bytes`; those that `keep` says go to `out`, stuffed and filled up with ones by `end`. */
function copier(bytes: Uint8Array, out: number[]) {
  let [at, keep, held, free] = [0, true, 0, 8];
  const byte = (): void => {
    out.push(held);
    if (held === 0xff) out.push(0);
    [held, free] = [0, 8];
  };
  const put = (bit: number): void => {
    held |= bit << --free;
    if (free === 0) byte();
  };
  const peek = (): number => {
    const i = at >> 3;
    const word = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    return (word >> (8 - (at & 7))) & 0xffff;
  };
  const take = (count: number): void => {
    const bits = peek();
    if (keep) for (let k = 15; k > 15 - count; k--) put((bits >> k) & 1);
    at += count;
  };
  return {
    take,
    keep: (is: boolean) => void (keep = is),
    symbol: (codes: Uint16Array): number => {
      const found = codes[peek()] ?? 0;
      if (found >> 8 === 0) damaged();
      take(found >> 8);
      return found & 0xff;
    },
    end: (): void => {
      if (at > 8 * bytes.length) damaged();
      while (free < 8) put(1);
    },
  };
}

/** One block of an interleaved scan: a sequential one, or one of a progressive scan of DC coefficients. */
function copyBlock(bits: ReturnType<typeof copier>, dc: Uint16Array, ac: Uint16Array, kind: ScanKind): void {
  if (kind === "refinement") return bits.take(1);
  bits.take(bits.symbol(dc));
  if (kind === "first") return;
  for (let k = 1; k < 64; k++) {
    const symbol = bits.symbol(ac);
    const [zeros, size] = [symbol >> 4, symbol & 15];
    if (size === 0 && zeros < 15) return;
    k += zeros;
    bits.take(size);
  }
}

type ScanKind = "sequential" | "first" | "refinement";

/** A component in a scan: which of the frame's it is, and the numbers of its codes. */
interface Part {
  readonly index: number;
  readonly bytes: readonly [id: number, codes: number];
}

/** The data of an interleaved scan without component `left`; `intervals` are parted by restart markers. */
function copyScan(
  state: State,
  intervals: readonly Uint8Array[],
  { parts, kind, left }: { readonly parts: readonly Part[]; readonly kind: ScanKind; readonly left: number },
): number[] {
  const out: number[] = [];
  const none = new Uint16Array(2 ** 16);
  const blocks = parts.map(({ index, bytes: [, codes] }) => {
    const { across, down } = state.components[index] ?? damaged();
    const [dc = none, ac = none] = [state.codes.get(codes >> 4), state.codes.get(16 + (codes & 15))];
    return { count: across * down, dc, ac, isKept: index !== left };
  });
  const most = state.interval === 0 ? state.units : state.interval;
  if (intervals.length !== Math.ceil(state.units / most)) damaged();
  intervals.forEach((bytes, i) => {
    if (i > 0) out.push(0xff, 0xd0 + ((i - 1) & 7));
    const bits = copier(bytes, out);
    for (let unit = i * most; unit < Math.min((i + 1) * most, state.units); unit++)
      for (const { count, dc, ac, isKept } of blocks) {
        bits.keep(isKept);
        for (let block = 0; block < count; block++) copyBlock(bits, dc, ac, kind);
      }
    bits.end();
  });
  return out;
}

/** The data from `at` to the next segment, and the same between restart markers, without stuffing. */
function scanData(bytes: Uint8Array, at: number) {
  const intervals: Uint8Array[] = [];
  let plain: number[] = [];
  for (let i = at; i < bytes.length; i++) {
    const [byte = 0, after = marks.end] = [bytes[i], bytes[i + 1]];
    if (byte === 0xff && after !== 0 && !isRestart(after) && after !== 0xff)
      return { intervals: [...intervals, Uint8Array.from(plain)], raw: bytes.subarray(at, i), next: i };
    if (byte !== 0xff) plain.push(byte);
    else if (after === 0) plain.push(byte);
    else if (isRestart(after)) {
      intervals.push(Uint8Array.from(plain));
      plain = [];
    }
    if (byte === 0xff && after !== 0xff) i++;
  }
  return damaged();
}

function readFrame(state: State, marker: number, segment: Uint8Array): void {
  const { path } = state;
  check(marker <= 0xc2, path, "a CMYK JPEG in sequential or progressive Huffman code", () => "another code");
  const view = new DataView(segment.buffer, segment.byteOffset, segment.length);
  const components = Array.from({ length: 4 }, (_, i): Component => {
    const [id, factors] = [view.getUint8(6 + 3 * i), view.getUint8(7 + 3 * i)];
    return { id, across: factors >> 4, down: factors & 15 };
  });
  const [first] = components;
  const isFinest = components.every(
    ({ across, down }) => first && across <= first.across && down <= first.down,
  );
  check(isFinest, path, "a CMYK JPEG with no component finer than the first", () => "a finer one");
  state.components = components;
  const unitsIn = (axis: number, blocks = 1): number => Math.ceil(view.getUint16(axis) / (8 * blocks));
  state.units = unitsIn(1, first?.down) * unitsIn(3, first?.across);
}

const segmentOf = (marker: number, content: readonly number[]): number[] => {
  const length = content.length + 2;
  return [0xff, marker, length >> 8, length & 255, ...content];
};

/** The scan whose segment and data are given, without component `left`; nothing where it is the only one. */
function withoutInScan(
  state: State,
  segment: Uint8Array,
  { intervals, raw }: ReturnType<typeof scanData>,
  left: number,
): Iterable<number> {
  const [count = 0] = segment;
  const parts = Array.from({ length: count }, (_, i): Part => {
    const [id = 0, codes = 0] = segment.subarray(1 + 2 * i);
    return { index: state.components.findIndex((component) => component.id === id), bytes: [id, codes] };
  });
  const kept = parts.filter(({ index }) => index !== left);
  if (kept.length === 0) return [];
  const spectrum = segment.subarray(1 + 2 * count);
  const head = segmentOf(marks.scan, [kept.length, ...kept.flatMap(({ bytes }) => bytes), ...spectrum]);
  if (kept.length === parts.length) return [...head, ...raw];
  const isPlain = state.components.every(({ across, down }) => across * down === 1);
  check(kept.length > 1 || isPlain, state.path, "a CMYK JPEG whose scans have one or four components", () =>
    String(count),
  );
  const [, end = 63, approximation = 0] = spectrum;
  const kind = end > 0 ? "sequential" : approximation >> 4 === 0 ? "first" : "refinement";
  return [...head, ...copyScan(state, intervals, { parts, kind, left })];
}

/**
 * The JPEG `bytes` of four components without that at index `left` (not the first), its numbers taken as YCbCr
 * (`transform` 1) or as RGB (0). `path` is for errors; throws where the data end early or the code is not Huffman's.
 */
export function withoutComponent(
  path: string,
  bytes: Uint8Array,
  { left, transform }: { readonly left: number; readonly transform: 0 | 1 },
): Uint8Array {
  const state: State = { path, codes: new Map(), components: [], units: 0, interval: 0 };
  const adobe = Buffer.from("Adobe");
  const out: number[] = [
    0xff,
    marks.start,
    ...segmentOf(marks.adobe, [...adobe, 0, 100, 0, 0, 0, 0, transform]),
  ];
  const add = (more: Iterable<number>): void => {
    for (const byte of more) out.push(byte);
  };
  for (let at = 2; ;) {
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++;
    const marker = (bytes[at] === 0xff ? bytes[at + 1] : undefined) ?? damaged();
    if (marker === marks.end) break;
    const end = at + 2 + (((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0));
    if (end > bytes.length) damaged();
    const segment = bytes.subarray(at + 4, end);
    at = end;
    if (marker === marks.scan) {
      const data = scanData(bytes, at);
      add(withoutInScan(state, segment, data, left));
      at = data.next;
    } else if (
      marker >= 0xc0 &&
      marker <= 0xcf &&
      marker !== marks.codes &&
      marker !== 0xc8 &&
      marker !== 0xcc
    ) {
      readFrame(state, marker, segment);
      const kept = [0, 1, 2, 3].filter((i) => i !== left);
      const content = kept.flatMap((i) => [...segment.subarray(6 + 3 * i, 9 + 3 * i)]);
      add(segmentOf(marker, [...segment.subarray(0, 5), 3, ...content]));
    } else if (marker < 0xe0) {
      if (marker === marks.codes) readCodes(segment, state.codes);
      if (marker === marks.interval) state.interval = ((segment[0] ?? 0) << 8) | (segment[1] ?? 0);
      add(segmentOf(marker, [...segment]));
    }
  }
  return Uint8Array.from([...out, 0xff, marks.end]);
}
