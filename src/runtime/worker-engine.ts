// An engine in a worker thread: runs never block the caller, so bars, Ctrl-C, loader and noise go on.
import { availableParallelism } from "node:os";
import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { TemperError } from "../base/errors.js";
import { anyRuntime } from "../graph/op.js";
import {
  localEngine,
  type Engine,
  type EngineOptions,
  type Measurement,
  type Program,
  type Tensors,
} from "./engine.js";
import { refuseTelemetry } from "./ort.js";
import { buffersOf, type Answer, type Reply, type Request } from "./worker.js";

type Question<R = Request> = R extends Request ? Omit<R, "id"> : never;

interface Pending {
  readonly resolve: (value: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** One worker and the requests it has not answered yet. */
function channel(worker: Worker): (question: Question, transfer?: ArrayBuffer[]) => Promise<Answer> {
  const pending = new Map<number, Pending>();
  let next = 0;
  const failAll = (error: Error): void => {
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
  };
  worker.on("message", ({ id, value, error }: Reply) => {
    const waiting = pending.get(id);
    pending.delete(id);
    // Errors lose their class between threads; what the engine says is meant for the user.
    if (error !== undefined) waiting?.reject(new TemperError(error.message));
    else waiting?.resolve(value ?? null);
    if (pending.size === 0) worker.unref();
  });
  worker.on("error", failAll);
  worker.on("exit", (code) => failAll(new TemperError(`engine: the worker thread ended (code ${code})`)));
  return (question, transfer = []) =>
    new Promise((resolve, reject) => {
      const id = next++;
      pending.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage({ ...question, id }, transfer);
    });
}

const asTensors = (answer: Answer): Tensors => (answer?.kind === "tensors" ? answer.tensors : {});
const asMeasurement = (answer: Answer): Measurement =>
  answer?.kind === "measured" ? answer.measurement : { runs: [], profile: null };

/** An engine in a thread of its own; arrays given to `run` and `hold` move there and are empty afterwards. */
export function workerEngine(options: EngineOptions = {}): Engine {
  const file = new URL("./worker.js", import.meta.url);
  // Run from TypeScript sources there is no compiled worker beside this file.
  if (!existsSync(file)) return localEngine(options);
  refuseTelemetry();
  const worker = new Worker(file, { workerData: options });
  worker.unref();
  const ask = channel(worker);
  return {
    provider: options.provider ?? "cpu",
    threads: options.threads ?? availableParallelism(),
    target: async () => {
      const answer = await ask({ kind: "target" });
      return answer?.kind === "target" ? answer.target : anyRuntime;
    },
    takes: async (model) => {
      const answer = await ask({ kind: "takes", model });
      return answer?.kind === "takes" && answer.takes;
    },
    async load(model, loadOptions = {}) {
      const loaded = await ask({ kind: "load", model, options: loadOptions });
      const program = loaded?.kind === "program" ? loaded.program : -1;
      return {
        hold: async (values) => void (await ask({ kind: "hold", program, values }, buffersOf(values))),
        read: async (names) => asTensors(await ask({ kind: "read", program, names })),
        run: async (values) => asTensors(await ask({ kind: "run", program, values }, buffersOf(values))),
        measured: async () => asMeasurement(await ask({ kind: "measured", program })),
        release: async () => void (await ask({ kind: "release", program })),
      } satisfies Program;
    },
    close: async () => void (await worker.terminate()),
  };
}
