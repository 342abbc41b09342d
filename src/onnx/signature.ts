// What of a file is the model's input and output: the one input that the output needs, the one output of floats.
import { check, fail, failUnknown } from "../base/errors.js";
import type { OnnxFile, OnnxNode, OnnxValue } from "./read.js";

export interface InputSignature {
  readonly name: string;
  /** The shape of one sample. */
  readonly shape: readonly number[];
  /** The size to which the file fixes the batch, or null. */
  readonly batch: number | null;
}

export interface OutputSignature {
  readonly name: string;
  readonly notes: readonly string[];
}

const floatTypes = ["float", "float16", "bfloat16", "double"];
const listed = (values: readonly OnnxValue[]): string => values.map(({ name }) => `'${name}'`).join(", ");

const declaredSizes = (dims: OnnxValue["dims"] = null): (number | null)[] | null =>
  dims?.slice(1).map((d) => (typeof d === "number" && d > 0 ? d : null)) ?? null;

/** Whether the file leaves sizes of an input behind the batch open. */
export const leavesSizesOpen = ({ inputs }: OnnxFile): boolean =>
  inputs.some(({ dims }) => declaredSizes(dims)?.includes(null) ?? true);

/** Sizes behind the batch: the file's, or those of `given` where the file leaves them open and the others agree. */
function sizesOf({ name, dims }: OnnxValue, given: readonly number[] | undefined): readonly number[] {
  const where = `input '${name}'`;
  if (dims === null) return given ?? fail(where, "a declared shape [batch, …]", "none");
  const shown = `[${dims.join(", ")}]`;
  check(dims.length >= 2, where, "a shape [batch, …] of rank 2 or more", () => shown);
  const declared = declaredSizes(dims) ?? [];
  const agrees = given?.length === declared.length && declared.every((d, i) => d === null || d === given[i]);
  const sizes = declared.flatMap((d, i) => d ?? (agrees ? (given[i] ?? []) : []));
  check(sizes.length === declared.length, where, "fixed sizes behind the batch", () => shown);
  return sizes;
}

/** The input among those whose names are `needed`; `shape` says what the file leaves open. */
export function inputOf(
  { inputs }: OnnxFile,
  needed: ReadonlySet<string>,
  shape: readonly number[] | undefined,
): InputSignature {
  const used = inputs.length === 1 ? inputs : inputs.filter(({ name }) => needed.has(name));
  const [first, second] = used;
  if (first === undefined || second !== undefined)
    return fail("model", "one input", first === undefined ? "none" : `${used.length}: ${listed(used)}`);
  const { name, type, dims } = first;
  check(floatTypes.includes(type), `input '${name}'`, "floats", () => type);
  const batch = dims?.[0];
  const fixed = typeof batch === "number" && batch > 0 ? batch : null;
  return { name, shape: sizesOf(first, shape), batch: fixed };
}

/** Where ZipMap pairs probabilities with names of classes, the probabilities themselves. */
function withoutZipMap(outputs: readonly OnnxValue[], nodes: readonly OnnxNode[]): readonly OnnxValue[] {
  return outputs.map((value) => {
    const zip = nodes.find(({ operator, outputs: [first] }) => operator === "ZipMap" && first === value.name);
    const [probabilities] = zip?.inputs ?? [];
    return probabilities === undefined ? value : { name: probabilities, type: "float", dims: null };
  });
}

/** The output by name, or the only one; the only one that holds floats – or is called logits – where there are more. */
export function outputOf(file: OnnxFile, wanted: string | undefined): OutputSignature {
  const names = file.outputs.map(({ name }) => name);
  if (wanted !== undefined && !names.includes(wanted)) return failUnknown("model", "output", wanted, names);
  const outputs = withoutZipMap(file.outputs, file.nodes);
  const chosen = wanted === undefined ? undefined : outputs[names.indexOf(wanted)];
  if (chosen) return { name: chosen.name, notes: [] };
  const ofFloats = outputs.length === 1 ? outputs : outputs.filter(({ type }) => floatTypes.includes(type));
  const logits = ofFloats.filter(({ name }) => /(^|[/.:_])logits$/i.test(name));
  const candidates = logits.length === 1 ? logits : ofFloats;
  const [first] = candidates;
  if (first === undefined || candidates.length > 1)
    return fail("model", "one output of floats", names.length === 0 ? "none" : listed(outputs));
  const others = outputs.filter((value) => value !== first);
  return {
    name: first.name,
    notes: others.length === 0 ? [] : [`ignored: ${listed(others)}, beside '${first.name}'`],
  };
}
