// Scopes are names and nothing else: every method's step is the same file without them.
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it, vi } from "vitest";
import * as registry from "../../src/defenses/index.js";
import { ModelProtoSchema, type GraphProto } from "../../src/onnx/generated/onnx_pb.js";

/** The modules that build a step, with scopes that name nothing where `silent`. */
async function builders(silent: boolean) {
  vi.resetModules();
  if (silent)
    vi.doMock("../../src/graph/node.js", async (original) => ({
      ...(await original<object>()),
      scope: (_name: string, build: () => unknown) => build(),
      scopeAs: (_path: string, build: () => unknown) => build(),
      scopeBehind: (_node: unknown, _name: string, build: () => unknown) => build(),
    }));
  else vi.doUnmock("../../src/graph/node.js");
  const [{ compose }, defenses, { buildTrainStep }, { convnet }, { exportLoop }, { sgd }] = await Promise.all(
    [
      import("../../src/defenses/compose.js"),
      import("../../src/defenses/index.js"),
      import("../../src/defenses/train-step.js"),
      import("../../src/nn/architectures/index.js"),
      import("../../src/onnx/export.js"),
      import("../../src/optim/index.js"),
    ],
  );
  const convolutions = [{ filters: 2, kernel: 3, pool: 2 }];
  const network = convnet({ convolutions, hidden: [6], batchNorm: true, dropout: 0.2 });
  return (method: keyof typeof registry): Uint8Array => {
    const defense = compose([defenses[method]({})]);
    const step = buildTrainStep({
      model: network({ inputShape: [1, 6, 6], classes: 3 }),
      defense,
      optimizer: sgd({}),
      loss: "softmax-cross-entropy",
      labelSmoothing: 0,
      bounds: [0, 1],
    });
    return exportLoop(step.loop);
  };
}

/** Takes the nodes' names out of a graph and what is nested in it; returns them. */
function takeNames(graph: GraphProto): string[] {
  return graph.node.flatMap((node) => {
    const { name } = node;
    node.name = "";
    return [name, ...node.attribute.flatMap(({ g }) => (g ? takeNames(g) : []))];
  });
}

function split(file: Uint8Array): { names: string[]; rest: Uint8Array } {
  const model = fromBinary(ModelProtoSchema, file);
  const names = model.graph ? takeNames(model.graph) : [];
  return { names, rest: toBinary(ModelProtoSchema, model) };
}

const methods = Object.keys(registry) as (keyof typeof registry)[];

describe("scopes of a training step", async () => {
  const [named, silent] = [await builders(false), await builders(true)];

  it.each(methods)("change nothing of %s but the names of its nodes", (method) => {
    const [mine, other] = [split(named(method)), split(silent(method))];
    expect(mine.rest).toEqual(other.rest);
    expect(mine.names).not.toEqual(other.names);
  });

  it.each(methods)("name a pass for every node of %s, and gradients by layer", (method) => {
    const scopes = split(named(method)).names.flatMap((name) => {
      const inside = /^body\/(.*)\/[^/]+$/.exec(name)?.[1];
      return inside === undefined ? [] : [inside];
    });
    const passes = new Set(scopes.map((scope) => scope.split("/")[0] ?? ""));
    const methodPasses = ["craft", "train", "jacobian-penalty", "input-gradient-penalty", "sgm"];
    const known = ["batch", ...methodPasses, "optimizer", "outputs", "proceed"];
    expect([...passes].filter((pass) => !known.includes(pass))).toEqual([]);
    for (const scope of ["train/conv1", "train/conv1/gradient/weight", "train/dense1/gradient/input"])
      expect(scopes).toContain(scope);
  });

  it("tell the crafting pass from the training pass", () => {
    const { names } = split(named("adversarial-backprop"));
    const craft = names.filter((name) => name.startsWith("body/craft/conv1/"));
    expect(craft.some((name) => name.includes("/gradient/"))).toBe(true);
    expect(craft.some((name) => name.includes("/weight/"))).toBe(false);
  });
});
