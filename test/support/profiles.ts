// A profile whose numbers can be added up by hand: ABP on a network of two layers.
import type { KernelRecord, StepProfile } from "../../src/experiments/records.js";

const kernel = (
  scope: string,
  kind: string,
  milliseconds: number,
  multiplyAdds: number | null = null,
): KernelRecord => ({
  scope,
  name: `${kind}_0`,
  kind,
  operation: multiplyAdds === null ? null : "matmul",
  calls: 1,
  milliseconds,
  multiplyAdds,
});

/** Kernels that take 18 ms. Products: 100 GFLOP/s where they are alone, 50 where a copy stands beside them. */
const kernels: readonly KernelRecord[] = [
  kernel("batch", "Gather", 0.25),
  kernel("train/dropout1", "Cast", 0.25),
  kernel("craft/dense1", "Gemm", 2, 1e8),
  kernel("craft/relu1", "Relu", 0.5),
  kernel("craft/loss", "Softmax", 0.25),
  kernel("craft/loss/gradient", "Mul", 0.25),
  kernel("craft/dense1/gradient/input", "Gemm", 2, 1e8),
  kernel("craft/step", "Sign", 0.5),
  kernel("train/dense1", "Gemm", 2, 1e8),
  kernel("train/relu1", "Relu", 0.5),
  kernel("train/loss", "Softmax", 0.5),
  kernel("train/dense1/gradient/weight", "Transpose", 2, 0),
  kernel("train/dense1/gradient/weight", "Gemm", 2, 1e8),
  kernel("train/relu1/gradient", "Sign", 1),
  kernel("optimizer/dense1.weight", "Mul", 1.5),
  kernel("optimizer/dense1.weight", "Add", 1.5),
  kernel("outputs", "Identity", 0.5),
  kernel("onnxruntime", "ReorderInput", 0.5),
];

export const fakeProfile: StepProfile = {
  schema: 1,
  kind: "temper-profile",
  recipe: "quickstart",
  method: "adversarial-backprop",
  dataset: "mnist",
  model: { name: "mlp", options: { hidden: [400] } },
  optimizer: { name: "wame", options: {} },
  batchSize: 32,
  environment: {
    temper: "0.1.0",
    commit: "0123456789abcdef0123456789abcdef01234567",
    node: "22.13.0",
    onnxruntime: "1.30.0",
    platform: "linux-x64",
    processor: "Example Processor 3000 @ 2.50GHz",
    provider: "cpu",
    threads: 1,
    jobs: 1,
  },
  measured: "2026-01-02T03:04:05.000Z",
  steps: { count: 80, perRun: 10, training: 12 },
  product: { size: 1024, gigaflops: { median: 200, low: 190, high: 210 } },
  times: {
    plain: { median: 20, low: 19, high: 22 },
    profiled: { median: 21, low: 20, high: 23 },
    step: 20,
    kernels: 18,
    kernelsAsProfiled: 18.9,
    profilerPerCall: 0.05,
    copies: 1,
    between: 1,
    engine: 0.1,
    host: 0.2,
  },
  kernels: [...kernels],
};
