// Layers wired freely: where a value is read more than once, or several are summed.
import { check } from "../../base/errors.js";
import { formatShape, sameShape } from "../../base/shape.js";
import { scope, type Node } from "../../graph/node.js";
import { add } from "../../ops/arithmetic.js";
import { concat } from "../../ops/structure.js";
import type { Pass } from "../model.js";
import { chain, combined, numbered } from "./chain.js";
import type { Layer, NamedLayer } from "./layer.js";

/** A value between layers, of one input's shape. */
export interface Wire {
  readonly index: number;
  readonly shape: readonly number[];
}

/** Where wires come from. */
export interface Wiring {
  /** `layers` one after the other. */
  over(layers: readonly Layer[], x: Wire): Wire;
  sum(a: Wire, b: Wire): Wire;
  /** Channels of all, in order; what comes out is a site of this name. */
  join(name: string, wires: readonly Wire[]): Wire;
}

/** Makes one value out of those before it. */
type Step = (nodes: readonly Node[], pass: Pass) => Node;

/** The layer that `wire` describes; parts are named behind its own name, in the order of calls. */
export const wired = (kind: string, wire: (wiring: Wiring, x: Wire) => Wire): Layer => ({
  kind,
  build(name, inputShape) {
    const parts: NamedLayer[] = [];
    const joined: string[] = [];
    const steps: Step[] = [];
    const naming = numbered(`${name}.`);
    const made = (shape: readonly number[], step: Step): Wire => ({ index: steps.push(step), shape });
    const at = (nodes: readonly Node[], { index }: Wire): Node => {
      const node = nodes[index];
      if (node === undefined) throw new Error(`${name}: value ${index} is read before it is made`);
      return node;
    };
    const wiring: Wiring = {
      over: (layers, x) => {
        const built = chain(layers, x.shape, naming);
        parts.push(...built.parts);
        return made(built.outputShape, (nodes, pass) => built.apply(at(nodes, x), pass));
      },
      sum: (a, b) => {
        check(sameShape(a.shape, b.shape), name, formatShape(a.shape), () => formatShape(b.shape));
        return made(a.shape, (nodes) => scope(name, () => add(at(nodes, a), at(nodes, b))));
      },
      join: (part, wires) => {
        const size = wires[0]?.shape.slice(1) ?? [];
        for (const { shape } of wires)
          check(sameShape(shape.slice(1), size), name, `images of ${formatShape(size)}`, () =>
            formatShape(shape),
          );
        const channels = wires.reduce((total, { shape }) => total + (shape[0] ?? 0), 0);
        const site = `${name}.${part}`;
        joined.push(site);
        return made([channels, ...size], (nodes, pass) => {
          const whole = scope(site, () =>
            concat(
              wires.map((one) => at(nodes, one)),
              1,
            ),
          );
          return pass.site(site, whole);
        });
      },
    };
    const last = wire(wiring, { index: 0, shape: inputShape });
    const all = combined(parts);
    return {
      ...all,
      sites: [...all.sites, ...joined],
      outputShape: last.shape,
      apply: (x, pass) => {
        const nodes: Node[] = [x];
        for (const step of steps) nodes.push(step(nodes, pass));
        return at(nodes, last);
      },
    };
  },
});
