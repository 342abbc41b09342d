// The execution providers of ONNX Runtime that Temper knows.
import { failUnknown } from "../base/errors.js";

/** Names of the providers, the processor first. */
export const providers = ["cpu", "webgpu", "cuda", "coreml", "dml"] as const;
export type Provider = (typeof providers)[number];

/** `name` if it is a provider's; throws what is known otherwise. */
export function providerOf(name: string): Provider {
  return providers.find((known) => known === name) ?? failUnknown("engine", "provider", name, providers);
}
