// The only importer of ONNX Runtime: sessions over model bytes, with the settings that were measured to matter.
import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { TemperError } from "../base/errors.js";
import { tensor, type DType, type Tensor } from "../base/tensor.js";
import { graphFunction } from "../graph/function.js";
import { input } from "../graph/node.js";
import { exportFunction } from "../onnx/export.js";
import { neg } from "../ops/arithmetic.js";

type Ort = typeof import("onnxruntime-node");

let loaded: Promise<Ort> | undefined;

/**
 * Keeps ONNX Runtime from reporting use to its makers, which it does on Linux unless told otherwise. To be called in
 * the main thread: only there does a change of the environment reach the library.
 */
export function refuseTelemetry(): void {
  process.env["ORT_DISABLE_TELEMETRY"] ??= "1";
}

async function importOrt(): Promise<Ort> {
  refuseTelemetry();
  try {
    // A CommonJS package: under Node its names live on `default`.
    const module = (await import("onnxruntime-node")) as Ort & { default?: Ort };
    return module.default ?? module;
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new TemperError(
      `engine: ONNX Runtime has no binary for ${process.platform} ${process.arch} (allowed: linux x64 and arm64, macOS arm64, Windows x64 and arm64): ${reason}`,
    );
  }
}

/** ONNX Runtime, loaded at first use. */
export const loadOrt = (): Promise<Ort> => (loaded ??= importOrt());

export interface SessionOptions {
  /** Execution provider: `cpu`, `webgpu`, `cuda` … */
  readonly provider: string;
  /** Threads within one operator. */
  readonly threads: number;
  /** Where a profile's file begins, if one is to be written. */
  readonly profile?: string;
  /** Fail, saying nothing, where the provider would leave a node to the processor. */
  readonly strict?: boolean;
}

async function openSession(model: Uint8Array, options: SessionOptions): Promise<InferenceSession> {
  const ort = await loadOrt();
  return ort.InferenceSession.create(model, {
    executionProviders: [options.provider],
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    // One block for all values of a run, beside those of the first run: a third more memory, no faster.
    enableMemPattern: false,
    logSeverityLevel: options.strict === true ? 4 : 3,
    extra: {
      session: {
        // Idle threads that spin slow down every other session on the machine.
        force_spinning_stop: "1",
        ...(options.strict === true && { disable_cpu_ep_fallback: "1" }),
      },
    },
    ...(options.profile !== undefined && { enableProfiling: true, profileFilePrefix: options.profile }),
  });
}

let device: Promise<InferenceSession> | undefined;

/** WebGPU forgets its compiled shaders with its last session, and compiling takes longer than most runs: one stays open. */
function keepDevice(): Promise<InferenceSession> {
  const x = input("x", [1]);
  const file = exportFunction(graphFunction("device", [x], { y: neg(x) }));
  return (device ??= openSession(file, { provider: "webgpu", threads: 1 }));
}

export async function createSession(model: Uint8Array, options: SessionOptions): Promise<InferenceSession> {
  if (options.provider === "webgpu") await keepDevice();
  return openSession(model, options);
}

/** The tensor as ONNX Runtime takes it; no copy. */
export function toOrt(ort: Ort, { dtype, data, shape }: Tensor): OrtTensor {
  // ONNX Runtime's types pair each dtype with its array; `Tensor` guarantees the pair but cannot say so.
  return new ort.Tensor(dtype, data as Float32Array, [...shape]);
}

const known: readonly DType[] = ["float32", "int32", "int64", "uint8", "bool"];

export function fromOrt(name: string, value: OrtTensor): Tensor {
  const dtype = known.find((candidate) => candidate === value.type);
  if (dtype === undefined)
    throw new TemperError(`output '${name}': expected one of ${known.join(", ")}, got ${value.type}`);
  // Strings were excluded above; every other kind of data is a typed array.
  return tensor(dtype, value.dims, value.data as Tensor["data"]);
}
