// Residual blocks (He et al. 2016).
import { check } from "../../base/errors.js";
import { formatShape, sameShape } from "../../base/shape.js";
import { scope } from "../../graph/node.js";
import { add } from "../../ops/arithmetic.js";
import { chain, combined, numbered } from "./chain.js";
import type { Layer } from "./layer.js";

export interface ResidualOptions {
  /** Layers ahead of both branches; default none. */
  readonly before?: readonly Layer[];
}

/** y + s: y = body(b), s = shortcut(b), b = before(x); an empty shortcut is the identity. */
export const residual = (
  body: readonly Layer[],
  shortcut: readonly Layer[] = [],
  { before = [] }: ResidualOptions = {},
): Layer => ({
  kind: "block",
  build(name, inputShape) {
    const naming = numbered(`${name}.`);
    const head = chain(before, inputShape, naming);
    const main = chain(body, head.outputShape, naming);
    const side = chain(shortcut, head.outputShape, numbered(`${name}.shortcut.`));
    check(
      sameShape(main.outputShape, side.outputShape),
      name,
      `a shortcut to ${formatShape(main.outputShape)}`,
      () => formatShape(side.outputShape),
    );
    return {
      ...combined([...head.parts, ...main.parts, ...side.parts]),
      outputShape: main.outputShape,
      apply: (x, pass) => {
        const b = head.apply(x, pass);
        const [y, s] = [main.apply(b, pass), side.apply(b, pass)];
        return scope(name, () => add(y, s));
      },
    };
  },
});
