// What this machine's ONNX Runtime does better than the standard says.
import { anyRuntime, type Target } from "../graph/op.js";
import { exportReorderProbe } from "../onnx/probe.js";
import { createSession, loadOrt } from "./ort.js";
import type { Provider } from "./providers.js";

/**
 * What graphs are written for, before the machine is asked. The bodies of loops run on the card with WebGPU (seen) and
 * CUDA (documented); CoreML leaves them to the processor, and of DirectML nothing is known.
 */
const targets: Readonly<Record<Provider, Target>> = {
  cpu: anyRuntime,
  webgpu: { ...anyRuntime, narrow: true },
  cuda: anyRuntime,
  coreml: { ...anyRuntime, narrow: true, loops: false },
  dml: { ...anyRuntime, narrow: true, loops: false },
};

const channels = 32;

/**
 * The target for a provider. On the CPU the blocked convolutions take 8 or 16 channels a block, by the processor:
 * two pixels of each channel are reordered, and the second pixel of channel 0 tells how many channels came before it.
 */
export async function findTarget(provider: Provider): Promise<Target> {
  const target = targets[provider];
  if (provider !== "cpu") return target;
  try {
    const ort = await loadOrt();
    const session = await createSession(exportReorderProbe(channels), { provider, threads: 1 });
    const x = new ort.Tensor(
      "float32",
      Float32Array.from({ length: 2 * channels }, (_, i) => i),
      [1, channels, 1, 2],
    );
    const { y } = await session.run({ x });
    await session.release();
    return { ...target, block: Math.max(0, (y?.data as Float32Array).indexOf(1)) };
  } catch {
    // A processor without blocked kernels knows no such operator.
    return target;
  }
}
