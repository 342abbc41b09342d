// Branches side by side (Szegedy et al. 2015): all read the same image, their channels follow one another.
import { check } from "../../base/errors.js";
import { formatShape, sameShape } from "../../base/shape.js";
import { scope } from "../../graph/node.js";
import { concat } from "../../ops/structure.js";
import { chain, combined, numbered } from "./chain.js";
import type { Layer } from "./layer.js";

/** Channels of each branch in order: [c, h, w] → [Σ cᵢ, h′, w′]; an empty branch is the image itself. What comes out is a site. */
export const branches = (...all: readonly (readonly Layer[])[]): Layer => ({
  kind: "branches",
  build(name, inputShape) {
    const built = all.map((layers, i) => chain(layers, inputShape, numbered(`${name}.${i + 1}.`)));
    const [first] = built;
    for (const { outputShape } of built)
      check(
        first !== undefined && sameShape(outputShape.slice(1), first.outputShape.slice(1)),
        name,
        `branches of one size, ${formatShape(first?.outputShape ?? [])}`,
        () => formatShape(outputShape),
      );
    const channels = built.reduce((total, { outputShape }) => total + (outputShape[0] ?? 0), 0);
    const joined = combined(built.flatMap(({ parts }) => parts));
    return {
      ...joined,
      sites: [...joined.sites, name],
      outputShape: [channels, ...(first?.outputShape.slice(1) ?? [])],
      apply: (x, pass) => {
        const parts = built.map((branch) => branch.apply(x, pass));
        return pass.site(
          name,
          scope(name, () => concat(parts, 1)),
        );
      },
    };
  },
});
