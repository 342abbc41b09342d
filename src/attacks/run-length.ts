// How many iterations of a loop go into one run of the engine: between two runs fallen rows leave and aborts are heard.

/** Milliseconds a run should take: long against what a run costs by itself, short for who waits. */
const [shortRun, longRun] = [100, 400];
/** Numbers that a run's scanned inputs may hold together. */
const scannedLimit = 2 ** 23;
const most = 128;

/** The length of the runs of one loop; what the loop computes does not depend on it. */
export class RunLength {
  #iterations = 4;
  readonly #cap: number;

  /** `perIteration`: numbers scanned in one iteration. */
  constructor(perIteration: number) {
    this.#cap = Math.min(most, Math.max(1, Math.floor(scannedLimit / Math.max(perIteration, 1))));
  }

  /** Runs the next iterations of `left`, in number as many as past runs allow; returns their number. */
  async run(left: number, iterate: (iterations: number) => Promise<unknown>): Promise<number> {
    const iterations = Math.min(this.#iterations, this.#cap, left);
    const begun = performance.now();
    await iterate(iterations);
    const took = performance.now() - begun;
    if (took < shortRun) this.#iterations = 2 * iterations;
    else if (took > longRun) this.#iterations = Math.max(1, iterations >> 1);
    return iterations;
  }
}
