// A loop whose iterations are runs of their own, for providers that leave the bodies of loops to the processor.
import { count } from "../base/shape.js";
import { allocate, tensor, type Tensor } from "../base/tensor.js";
import { nextName, type LoopFunction } from "../onnx/export.js";
import type { Program, Tensors } from "./engine.js";

/** Entry `index` of [steps, …], copied: the engine takes over what it is given. */
function sliceAt({ dtype, shape, data }: Tensor, index: number): Tensor {
  const size = count(shape.slice(1));
  return tensor(dtype, shape.slice(1), data.slice(index * size, (index + 1) * size));
}

/** Equal tensors as one: [steps, …]. */
function stack(parts: readonly Tensor[], { dtype, shape }: Tensor): Tensor {
  const size = count(shape);
  const data = allocate(dtype, parts.length * size);
  // Both sides are of one dtype, which the union of arrays cannot say.
  parts.forEach((part, i) => (data as Float32Array).set(part.data as Float32Array, i * size));
  return tensor(dtype, [parts.length, ...shape], data);
}

/** A program with the feeds and results of `loop` over `step`, one iteration, which keeps every state. */
export function iterate(step: Program, loop: LoopFunction, carry: Readonly<Record<string, string>>): Program {
  const scanned = new Set(loop.scanned.map(({ name }) => name));
  const returned = loop.carried.map(({ input }) => input.name).filter((name) => !(nextName(name) in carry));
  return {
    hold: (values) => step.hold(values),
    read: (names) => step.read(names),
    measured: () => step.measured(),
    release: () => step.release(),
    async run({ iterations, ...feeds }) {
      const entries = Object.entries(feeds);
      await step.hold(Object.fromEntries(entries.filter(([name]) => !scanned.has(name))));
      const slices = entries.filter(([name]) => scanned.has(name));
      const found: Tensors[] = [];
      for (let i = 0, proceed = true; proceed && i < Number(iterations?.data[0]); i++) {
        const { proceed: flag, ...results } = await step.run(
          Object.fromEntries(slices.map(([name, value]) => [name, sliceAt(value, i)])),
        );
        found.push(results);
        proceed = flag === undefined || Boolean(flag.data[0]);
      }
      const stacked = Object.keys(loop.outputs).map((name) => {
        const parts = found.flatMap((results) => results[name] ?? []);
        return [name, parts[0] && stack(parts, parts[0])] as const;
      });
      const states = await step.read(returned);
      return Object.fromEntries([
        ...returned.flatMap((name) => {
          const value = states[name];
          return value ? [[nextName(name), value] as const] : [];
        }),
        ...stacked.flatMap(([name, value]) => (value ? [[name, value] as const] : [])),
      ]);
    },
  };
}
