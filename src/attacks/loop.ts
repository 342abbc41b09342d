// Loops of attacks as they are written: from next states by name to a simplified body.
import { simplify } from "../graph/simplify.js";
import { iterationOf, nextName, type LoopFunction } from "../onnx/export.js";

/** The same loop with a simplified body. */
export function simplifiedLoop(loop: LoopFunction): LoopFunction {
  const { outputs } = simplify(iterationOf(loop));
  const named = (name: string) => {
    const found = outputs[name];
    if (found === undefined) throw new Error(`the output '${name}' was lost`);
    return found;
  };
  return {
    ...loop,
    carried: loop.carried.map(({ input }) => ({ input, next: named(nextName(input.name)) })),
    outputs: Object.fromEntries(Object.keys(loop.outputs).map((name) => [name, named(name)])),
    ...(loop.proceed && { proceed: named("proceed") }),
  };
}
