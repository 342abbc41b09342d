// The worker's side of `workerEngine`: a local engine driven by messages.
import { parentPort, workerData } from "node:worker_threads";
import type { Tensor } from "../base/tensor.js";
import type { Target } from "../graph/op.js";
import {
  localEngine,
  type EngineOptions,
  type LoadOptions,
  type Measurement,
  type Program,
  type Tensors,
} from "./engine.js";

/** What the client may ask; each request is answered by `{ id, value }` or `{ id, error }`. */
export type Request = { readonly id: number } & (
  | { readonly kind: "target" }
  | { readonly kind: "takes"; readonly model: Uint8Array }
  | { readonly kind: "load"; readonly model: Uint8Array; readonly options: LoadOptions }
  | { readonly kind: "hold"; readonly program: number; readonly values: Tensors }
  | { readonly kind: "read"; readonly program: number; readonly names: readonly string[] }
  | { readonly kind: "run"; readonly program: number; readonly values: Tensors }
  | { readonly kind: "measured"; readonly program: number }
  | { readonly kind: "release"; readonly program: number }
);

/** A program's number, tensors, times, a target, whether a model is taken, or nothing. */
export type Answer =
  | { readonly kind: "program"; readonly program: number }
  | { readonly kind: "tensors"; readonly tensors: Tensors }
  | { readonly kind: "measured"; readonly measurement: Measurement }
  | { readonly kind: "target"; readonly target: Target }
  | { readonly kind: "takes"; readonly takes: boolean }
  | null;

export interface Reply {
  readonly id: number;
  readonly value?: Answer;
  readonly error?: Error;
}

/** Buffers of `values` that may change threads instead of being copied. */
export const buffersOf = (values: Tensors): ArrayBuffer[] => [
  ...new Set(Object.values(values).map((value: Tensor) => value.data.buffer as ArrayBuffer)),
];

const port = parentPort;
if (port !== null) {
  const engine = localEngine(workerData as EngineOptions);
  const programs = new Map<number, Program>();
  const programOf = (id: number): Program => {
    const found = programs.get(id);
    if (found === undefined) throw new Error(`no program ${id}`);
    return found;
  };
  const tensors = (values: Tensors): Answer => ({ kind: "tensors", tensors: values });
  const answer = async (request: Request): Promise<Answer> => {
    if (request.kind === "target") return { kind: "target", target: await engine.target() };
    if (request.kind === "takes") return { kind: "takes", takes: await engine.takes(request.model) };
    if (request.kind === "load") {
      programs.set(request.id, await engine.load(request.model, request.options));
      return { kind: "program", program: request.id };
    }
    const program = programOf(request.program);
    if (request.kind === "run") return tensors(await program.run(request.values));
    if (request.kind === "read") return tensors(await program.read(request.names));
    if (request.kind === "measured") return { kind: "measured", measurement: await program.measured() };
    if (request.kind === "hold") await program.hold(request.values);
    else {
      programs.delete(request.program);
      await program.release();
    }
    return null;
  };
  let queue = Promise.resolve();
  port.on("message", (request: Request) => {
    queue = queue.then(() =>
      answer(request).then(
        (value) => {
          const transfer = value?.kind === "tensors" ? buffersOf(value.tensors) : [];
          port.postMessage({ id: request.id, value } satisfies Reply, transfer);
        },
        (error: unknown) => {
          const held = error instanceof Error ? error : new Error(String(error));
          port.postMessage({ id: request.id, error: held } satisfies Reply);
        },
      ),
    );
  });
}
