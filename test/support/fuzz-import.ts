// Damaged ONNX files for the importer: real models changed at random, byte by byte and field by field.
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TemperError } from "../../src/base/errors.js";
import { randomStream } from "../../src/base/random.js";
import { B } from "../../src/base/shape.js";
import { input } from "../../src/graph/node.js";
import { importClassifier } from "../../src/nn/imported.js";
import { knownOperators } from "../../src/onnx/domains.js";
import {
  AttributeProto_AttributeType as AttributeType,
  ModelProtoSchema,
  type GraphProto,
  type ModelProto,
} from "../../src/onnx/generated/onnx_pb.js";
import { buildGraph, importGraph } from "../../src/onnx/import.js";
import { fileOf, packedTests, unpacked } from "./node-tests.js";

/** Draws for one case: numbers in [0, 1), whole numbers below n, an element of a list. */
interface Dice {
  readonly next: () => number;
  readonly below: (n: number) => number;
  readonly pick: <T>(values: readonly T[]) => T | undefined;
}

function diceOf(seed: number, sample: number): Dice {
  const values = new Float32Array(64);
  randomStream(seed, "fuzz-import").uniform(values, { sample }, [0, 1]);
  let at = 0;
  const next = (): number => values[at++ % values.length] ?? 0;
  const below = (n: number): number => Math.min(n - 1, Math.floor(next() * n));
  return { next, below, pick: (list) => list[below(list.length)] };
}

/** Sizes, axes and counts that files do not hold. */
const strange = [0n, 1n, -1n, 2n, -2n, 7n, 1000n, 65536n, 2n ** 31n, 2n ** 40n, -(2n ** 63n), 2n ** 63n - 1n];
const attributeTypes = Object.values(AttributeType).filter((type) => typeof type === "number");
const strangeFloats = [0, -1, NaN, Infinity, -Infinity, 1e38, 1e-45];

type Change = (graph: GraphProto, dice: Dice, model: ModelProto) => void;

/** Changes of one field each. */
const changes: readonly Change[] = [
  ({ node }, { below }) => node.splice(below(node.length), 1),
  ({ node }, { below, pick }) => {
    const copy = pick(node);
    if (copy) node.splice(below(node.length), 0, copy);
  },
  ({ node }, { pick }) => {
    const chosen = pick(node);
    const name = pick(knownOperators)?.split(".").at(-1);
    if (chosen && name !== undefined) chosen.opType = name;
  },
  ({ node }, { pick }) => {
    const chosen = pick(node);
    if (chosen) chosen.domain = pick(["", "ai.onnx.ml", "com.microsoft", "elsewhere"]) ?? "";
  },
  ({ node }, { pick, below }) => {
    const [chosen, other] = [pick(node), pick(node)];
    const name = pick([...(other?.input ?? []), ...(other?.output ?? []), "nowhere", ""]);
    if (chosen && name !== undefined) chosen.input[below(chosen.input.length + 1)] = name;
  },
  ({ node }, { pick, below }) => pick(node)?.input.splice(below(4), 1),
  ({ node }, { pick }) => {
    const chosen = pick(node);
    if (chosen) chosen.output = [pick(["nowhere", "", ...chosen.input]) ?? ""];
  },
  ({ node }, { pick, below }) => pick(node)?.attribute.splice(below(3), 1),
  ({ node }, { pick }) => {
    const attribute = pick(pick(node)?.attribute ?? []);
    if (attribute) attribute.i = pick(strange) ?? 0n;
  },
  ({ node }, { pick, below }) => {
    const attribute = pick(pick(node)?.attribute ?? []);
    if (attribute) attribute.ints[below(attribute.ints.length + 1)] = pick(strange) ?? 0n;
  },
  ({ node }, { pick }) => {
    const attribute = pick(pick(node)?.attribute ?? []);
    if (attribute) attribute.f = pick(strangeFloats) ?? 0;
  },
  ({ node }, { pick }) => {
    const attribute = pick(pick(node)?.attribute ?? []);
    if (attribute) attribute.type = pick(attributeTypes) ?? attribute.type;
  },
  ({ node }, { pick }) => {
    const [to, from] = [pick(node), pick(node)];
    const attribute = pick(from?.attribute ?? []);
    if (attribute) to?.attribute.push(attribute);
  },
  ({ initializer }, { below }) => initializer.splice(below(initializer.length), 1),
  ({ initializer }, { pick, below }) => {
    const tensor = pick(initializer);
    if (tensor) tensor.dims[below(tensor.dims.length + 1)] = pick(strange) ?? 0n;
  },
  ({ initializer }, { pick, below }) => {
    const tensor = pick(initializer);
    if (tensor) tensor.dataType = below(28);
  },
  ({ initializer }, { pick, below }) => {
    const tensor = pick(initializer);
    if (tensor) tensor.rawData = tensor.rawData.slice(0, below(tensor.rawData.length + 1));
  },
  ({ initializer }, { pick, below }) => {
    const whole = initializer.filter(({ dataType }) => dataType === 7 || dataType === 6);
    const bytes = pick(whole)?.rawData;
    if (bytes) bytes[below(bytes.length)] = below(256);
  },
  ({ initializer }, { pick }) => {
    const tensor = pick(initializer);
    if (tensor) tensor.name = pick(initializer)?.name ?? "";
  },
  (graph, { pick, below }) => {
    const value = pick(pick([graph.input, graph.output]) ?? [])?.type?.value;
    if (value?.case !== "tensorType") return;
    const dim = pick(value.value.shape?.dim ?? []);
    if (dim) dim.value = { case: "dimValue", value: pick(strange) ?? 0n };
    else value.value.elemType = below(28);
  },
  (graph, { pick }) => {
    const value = pick([...graph.input, ...graph.output]);
    if (value) delete value.type;
  },
  (graph, { below }) => graph.output.splice(below(2), 1),
  (_, { pick }, model) => {
    const set = pick(model.opsetImport);
    if (set) set.version = pick([...strange, 9n, 11n, 12n, 13n, 18n, 21n]) ?? 0n;
  },
];

/** `file` with some of its bytes changed, or cut short. */
function damagedBytes(file: Uint8Array, { below }: Dice): Uint8Array {
  const bytes = file.slice(0, below(4) === 0 ? below(file.length) : file.length);
  for (let n = below(6); n >= 0; n--) bytes[below(bytes.length)] = below(256);
  return bytes;
}

/** Case `sample` of `seed`: one of `files`, changed in one to four places. */
function damaged(files: readonly Uint8Array[], seed: number, sample: number): Uint8Array {
  const dice = diceOf(seed, sample);
  // A copy: what is read keeps views of it.
  const file = Uint8Array.from(dice.pick(files) ?? []);
  if (dice.below(4) === 0) return damagedBytes(file, dice);
  const model = fromBinary(ModelProtoSchema, file);
  for (let n = dice.below(4); n >= 0; n--) if (model.graph) dice.pick(changes)?.(model.graph, dice, model);
  try {
    return toBinary(ModelProtoSchema, model);
  } catch {
    return damagedBytes(file, dice);
  }
}

/** What the importer makes of a file: whether it takes it, or its one line; throws what is no such line. */
function outcomeOf(file: Uint8Array): string {
  try {
    importClassifier(file);
    const graph = importGraph(file);
    buildGraph(graph, input("x", [B, ...graph.input.shape]));
    return "taken";
  } catch (error) {
    if (!(error instanceof TemperError)) throw error;
    if (/\n/.test(error.message)) throw new Error(`more than one line: ${error.message}`, { cause: error });
    return error.message;
  }
}

/** The fixtures: whole classifiers, and as many models of single operators. */
export function fuzzedFiles(): readonly Uint8Array[] {
  const folder = join(import.meta.dirname, "..", "fixtures");
  const names = readdirSync(folder).filter((name) => name.endsWith(".onnx"));
  const whole = names.map((name) => new Uint8Array(readFileSync(join(folder, name))));
  const single = packedTests().tests.map((test) => fileOf(unpacked(test)));
  return single.flatMap((file, i) => [file, whole[i % whole.length] ?? file]);
}

export interface FuzzResult {
  readonly taken: number;
  readonly refused: number;
  /** Cases that ended in anything but a graph or one line: which, and how. */
  readonly broken: readonly { readonly sample: number; readonly how: string }[];
  /** The longest time of one case, in milliseconds. */
  readonly slowest: { readonly sample: number; readonly time: number };
}

/** Imports `count` damaged versions of `files`, the same ones for the same `seed`. */
export function fuzz(files: readonly Uint8Array[], count: number, seed: number): FuzzResult {
  let [taken, refused, slowest] = [0, 0, { sample: -1, time: 0 }];
  const broken: { sample: number; how: string }[] = [];
  for (let sample = 0; sample < count; sample++) {
    const file = damaged(files, seed, sample);
    const start = performance.now();
    try {
      if (outcomeOf(file) === "taken") taken++;
      else refused++;
    } catch (error) {
      broken.push({ sample, how: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
    const time = performance.now() - start;
    if (time > slowest.time) slowest = { sample, time };
  }
  return { taken, refused, broken, slowest };
}
