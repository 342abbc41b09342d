// Where a graph's random numbers come from: inputs that the host fills.
import type { NoiseRequest } from "../base/noise.js";
import { B, formatDim, sameDim } from "../base/shape.js";
import { input, type InputNode, type Node } from "../graph/node.js";
import { cast } from "../ops/compare.js";

/** A request and the graph input through which the host answers it. */
export interface NoiseInput {
  readonly request: NoiseRequest;
  readonly input: InputNode;
}

const prefix = "noise/";

/** Whether a graph input of this name is one of `noiseInput`. */
export const isNoise = (name: string): boolean => name.startsWith(prefix);

/** What `request` is called in the graph: passes of other heights have other inputs. */
const nameOf = ({ name, shape: [rows = B] }: NoiseRequest): string =>
  `${prefix}${name}${sameDim(rows, B) ? "" : `/${formatDim(rows)}`}`;

/** The input for `request`, a byte where that holds it. */
export const noiseInput = (request: NoiseRequest): NoiseInput => ({
  request,
  input: input(nameOf(request), request.shape, request.kind === "bernoulli" ? "uint8" : "float32"),
});

/** The numbers of a noise input. */
export const noiseValues = (input: InputNode): Node => cast(input, "float32");

/** Draws from inputs that are added to `known`, one for each name and height. */
export function drawInto(known: Map<string, InputNode>): (request: NoiseRequest) => Node {
  return (request) => {
    const { input: node } = noiseInput(request);
    const found = known.get(node.name) ?? node;
    known.set(node.name, found);
    return noiseValues(found);
  };
}
