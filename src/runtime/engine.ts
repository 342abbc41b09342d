// The engine: loads ONNX models and runs them, keeping state between runs on its side.
import type { InferenceSession } from "onnxruntime-node";
import { availableParallelism } from "node:os";
import { check, TemperError } from "../base/errors.js";
import type { Tensor } from "../base/tensor.js";
import type { InputNode } from "../graph/node.js";
import type { Target } from "../graph/op.js";
import { providerOf } from "./providers.js";
import { findTarget } from "./target.js";
import { createSession, fromOrt, loadOrt, toOrt } from "./ort.js";
import { profileFile, type ProfiledRuns, type ProfileFile } from "./profiler.js";

export type Tensors = Readonly<Record<string, Tensor>>;

export interface LoadOptions {
  /** Outputs that replace held inputs after each run, and are not returned: { output: input }. */
  readonly carry?: Readonly<Record<string, string>>;
  /** What to keep for `measured`: how long each run takes, or how long each kernel takes too. */
  readonly measure?: "runs" | "kernels";
}

/** Times of the runs so far, in milliseconds. */
export interface Measurement {
  /** Each run from its inputs to its outputs, with the copies of both. */
  readonly runs: readonly number[];
  /** Where kernels were asked for. */
  readonly profile: ProfiledRuns | null;
}

/** The samples behind the rows of a batch. */
export interface Samples {
  /** Of each row, in its dataset. */
  readonly indices: ArrayLike<number>;
  readonly seed: number;
}

/** Feeds that the callers of programs know nothing of: the numbers that a random model draws. */
export interface Supply {
  /** Whether it feeds inputs of this name. */
  answers(name: string): boolean;
  /** Feeds for `rows` of the samples: inputs that are one for all iterations, and those with a leading axis of them. */
  feeds(
    inputs: { readonly fixed: readonly InputNode[]; readonly scanned: readonly InputNode[] },
    rows: readonly number[],
    iterations?: number,
  ): Tensors;
  /** `work` with feeds for these samples. */
  within<T>(samples: Samples, work: () => Promise<T>): Promise<T>;
}

/** A model in the engine. */
export interface Program {
  /** Feeds beside those of `run`, for rows of the batch under work. */
  supplied?(rows: readonly number[], iterations?: number): Tensors;
  /** Keeps `values` as inputs of every later run. */
  hold(values: Tensors): Promise<void>;
  /** Copies of held values. */
  read(names: readonly string[]): Promise<Tensors>;
  /** Runs the model on held values and `feeds`; the engine takes over the arrays in `feeds`. */
  run(feeds: Tensors): Promise<Tensors>;
  /** What `measure` asked for, once: it ends the measuring. */
  measured(): Promise<Measurement>;
  release(): Promise<void>;
}

export interface Engine {
  readonly provider: string;
  readonly threads: number;
  /** What it feeds to programs by itself. */
  readonly supply?: Supply;
  /** What models are best lowered for, when this engine alone runs them. */
  target(): Promise<Target>;
  /** Whether the provider takes every node of `model`; what it does not take would run on the processor. */
  takes(model: Uint8Array): Promise<boolean>;
  load(model: Uint8Array, options?: LoadOptions): Promise<Program>;
  close(): Promise<void>;
}

export interface EngineOptions {
  /** Execution provider: `cpu` (default), `webgpu`, `cuda`, `coreml` or `dml` where installed. */
  readonly provider?: string;
  /** Threads within one operator; default: all cores. */
  readonly threads?: number;
}

const copyOf = (value: Tensor): Tensor => ({ ...value, data: value.data.slice() });

/** Rewords what ONNX Runtime throws as one line that names the model's part. */
function runtimeError(doing: string, error: unknown): TemperError {
  const text = error instanceof Error ? error.message : String(error);
  return new TemperError(`engine: ${doing} failed: ${text.replace(/\s+/g, " ").trim()}`);
}

class LocalProgram implements Program {
  #held: Record<string, Tensor> = {};
  readonly #runs: number[] = [];

  constructor(
    private readonly session: InferenceSession,
    private readonly carry: Readonly<Record<string, string>>,
    private readonly measure: LoadOptions["measure"],
    private readonly profile: ProfileFile | null,
  ) {}

  async hold(values: Tensors): Promise<void> {
    Object.assign(this.#held, values);
    return Promise.resolve();
  }

  read(names: readonly string[]): Promise<Tensors> {
    const entries = names.map((name) => {
      const value = this.#held[name];
      check(value !== undefined, "engine", "a held value", () => `'${name}'`);
      return [name, copyOf(value)] as const;
    });
    return Promise.resolve(Object.fromEntries(entries));
  }

  async run(feeds: Tensors): Promise<Tensors> {
    const ort = await loadOrt();
    const all = { ...this.#held, ...feeds };
    const inputs = Object.fromEntries(Object.entries(all).map(([name, value]) => [name, toOrt(ort, value)]));
    const begun = performance.now();
    const results = await this.session.run(inputs).catch((error: unknown) => {
      throw runtimeError("a run", error);
    });
    if (this.measure !== undefined) this.#runs.push(performance.now() - begun);
    const outputs: Record<string, Tensor> = {};
    for (const [name, value] of Object.entries(results)) {
      const target = this.carry[name];
      if (target === undefined) outputs[name] = fromOrt(name, value);
      else this.#held[target] = fromOrt(name, value);
    }
    return outputs;
  }

  async measured(): Promise<Measurement> {
    if (this.profile !== null) this.session.endProfiling();
    return { runs: this.#runs, profile: (await this.profile?.take()) ?? null };
  }

  async release(): Promise<void> {
    this.#held = {};
    await this.session.release();
    await this.profile?.remove();
  }
}

/** An engine in the calling thread: runs block it. */
export function localEngine(options: EngineOptions = {}): Engine {
  const provider = providerOf(options.provider ?? "cpu");
  const threads = options.threads ?? availableParallelism();
  let target: Promise<Target> | undefined;
  return {
    provider,
    threads,
    target: () => (target ??= findTarget(provider)),
    async load(model, { carry = {}, measure } = {}) {
      const profile = measure === "kernels" ? await profileFile() : null;
      const settings = { provider, threads, ...(profile && { profile: profile.prefix }) };
      const session = await createSession(model, settings).catch(async (error: unknown) => {
        await profile?.remove();
        throw error instanceof TemperError ? error : runtimeError("loading a model", error);
      });
      return new LocalProgram(session, carry, measure, profile);
    },
    takes: (model) =>
      createSession(model, { provider, threads, strict: true }).then(
        (session) => session.release().then(() => true),
        (error: unknown) => {
          if (/fallback to CPU EP/.test(String(error))) return false;
          throw error instanceof TemperError ? error : runtimeError("loading a model", error);
        },
      ),
    close: () => Promise.resolve(),
  };
}
