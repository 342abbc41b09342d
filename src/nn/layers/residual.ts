// Residual blocks (He et al. 2016), and the depth that changes by chance (Huang et al. 2016).
import { check } from "../../base/errors.js";
import { formatShape, sameShape } from "../../base/shape.js";
import { scope, type Node } from "../../graph/node.js";
import { add, mul } from "../../ops/arithmetic.js";
import { slice } from "../../ops/structure.js";
import type { Pass } from "../model.js";
import { chain, combined, numbered } from "./chain.js";
import type { Layer } from "./layer.js";

export interface ResidualOptions {
  /** Layers ahead of both branches; default none. */
  readonly before?: readonly Layer[];
  /** Layers behind the sum; default none. */
  readonly after?: readonly Layer[];
  /** Whether the sum is a site, under the block's name; default not: an activation behind it is one. */
  readonly isSite?: boolean;
  /** Stochastic depth: how often the body takes part while training; default always. */
  readonly survival?: Survival;
}

/** Probability that a block's body takes part, in (0, 1], drawn once a batch or for each sample. */
export interface Survival {
  readonly probability: number;
  readonly granularity: "batch" | "sample";
}

/** While training y or 0 by chance; else p·y, what it is on average (Huang et al. 2016, eq. 5). */
function surviving(y: Node, name: string, pass: Pass, { probability, granularity }: Survival): Node {
  if (probability === 1) return y;
  if (!pass.training) return mul(y, probability);
  const [rows = 1, ...rest] = y.shape;
  const shape = [rows, ...rest.map(() => 1)];
  const each = pass.noise.draw({ name: `${name}.survival`, shape, kind: "bernoulli", p: probability });
  // Noise belongs to samples: what the whole batch shares is that of its first.
  return mul(y, granularity === "sample" ? each : slice(each, { axes: [0], starts: [0], ends: [1] }));
}

/** after(y + s): y = body(b), s = shortcut(b), b = before(x); an empty shortcut is the identity. */
export const residual = (
  body: readonly Layer[],
  shortcut: readonly Layer[] = [],
  { before = [], after = [], isSite = false, survival }: ResidualOptions = {},
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
    const tail = chain(after, main.outputShape, naming);
    const whole = combined([...head.parts, ...main.parts, ...side.parts, ...tail.parts]);
    return {
      ...whole,
      sites: isSite ? [...whole.sites, name] : whole.sites,
      outputShape: tail.outputShape,
      apply: (x, pass) => {
        const b = head.apply(x, pass);
        const [y, s] = [main.apply(b, pass), side.apply(b, pass)];
        const joined = scope(name, () => add(survival ? surviving(y, name, pass, survival) : y, s));
        return tail.apply(isSite ? pass.site(name, joined) : joined, pass);
      },
    };
  },
});
