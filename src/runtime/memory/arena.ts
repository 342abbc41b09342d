// ONNX Runtime's arena (BFC: best fit with coalescing), which asks the system for memory and never gives it back.

/** A piece of a region; whoever holds it gives it back to `free`. */
export interface Chunk {
  readonly region: Region;
  readonly offset: number;
  readonly bytes: number;
}

interface PageRun {
  readonly from: number;
  readonly to: number;
}

interface Region {
  readonly bytes: number;
  /** Free pieces by offset; no two touch. */
  free: { offset: number; bytes: number }[];
  /** Runs of pages that have been written, in order and apart: the system gives a page only then. */
  written: readonly PageRun[];
}

export interface Arena {
  readonly allocate: (bytes: number) => Chunk;
  readonly free: (chunk: Chunk) => void;
  /** Bytes of all pages that were ever written. */
  readonly resident: () => number;
}

const unit = 256;
const page = 16384;
const firstRegion = 2 ** 20;
const largestGrowth = 2 ** 30;
/** A piece is split where at least as much as is asked for, or so much, would be left unused. */
const mostUnused = 2 ** 27;

const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to;

/** `runs` and one more, those that meet as one. */
function withRun(runs: readonly PageRun[], { from, to }: PageRun): PageRun[] {
  const [before, after] = [runs.filter((run) => run.to < from), runs.filter((run) => run.from > to)];
  const met = runs.slice(before.length, runs.length - after.length);
  const all = {
    from: Math.min(from, ...met.map((run) => run.from)),
    to: Math.max(to, ...met.map((run) => run.to)),
  };
  return [...before, all, ...after];
}

/** An arena without memory; its regions double in size. */
export function emptyArena(): Arena {
  const regions: Region[] = [];
  let growth = firstRegion;

  function extend(bytes: number): Region {
    const before = growth;
    while (growth < bytes) growth *= 2;
    const size = growth;
    if (growth === before) growth = Math.min(largestGrowth, growth * 2);
    const region: Region = { bytes: size, free: [{ offset: 0, bytes: size }], written: [] };
    regions.push(region);
    return region;
  }

  function bestFit(bytes: number): { region: Region; index: number } | null {
    let best: { region: Region; index: number } | null = null;
    let least = Infinity;
    for (const region of regions)
      region.free.forEach((piece, index) => {
        if (piece.bytes < bytes || piece.bytes >= least) return;
        [best, least] = [{ region, index }, piece.bytes];
      });
    return best;
  }

  return {
    allocate(wanted) {
      const bytes = roundUp(Math.max(wanted, 1), unit);
      const { region, index } = bestFit(bytes) ?? { region: extend(bytes), index: 0 };
      const [piece = { offset: 0, bytes }] = region.free.splice(index, 1);
      const splits = piece.bytes >= 2 * bytes || piece.bytes - bytes >= mostUnused;
      if (splits) region.free.splice(index, 0, { offset: piece.offset + bytes, bytes: piece.bytes - bytes });
      region.written = withRun(region.written, {
        from: Math.floor(piece.offset / page),
        to: Math.ceil((piece.offset + bytes) / page),
      });
      return { region, offset: piece.offset, bytes: splits ? bytes : piece.bytes };
    },
    free({ region, offset, bytes }) {
      const after = region.free.findIndex((piece) => piece.offset > offset);
      const place = after < 0 ? region.free.length : after;
      region.free.splice(place, 0, { offset, bytes });
      for (const index of [place, place - 1]) {
        const [a, b] = [region.free[index], region.free[index + 1]];
        if (a && b && a.offset + a.bytes === b.offset)
          region.free.splice(index, 2, { offset: a.offset, bytes: a.bytes + b.bytes });
      }
    },
    resident: () =>
      regions
        .flatMap(({ written }) => written)
        .reduce((total, { from, to }) => total + page * (to - from), 0),
  };
}
