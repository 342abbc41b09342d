// Weights in a file beside the model: read from its folder alone.
import { create } from "@bufbuild/protobuf";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TemperError } from "../../src/base/errors.js";
import { toNumbers } from "../../src/base/tensor.js";
import { openClassifier } from "../../src/experiments/fit.js";
import {
  StringStringEntryProtoSchema,
  TensorProto_DataLocation as Location,
  TensorProto_DataType as Kind,
  TensorProtoSchema,
} from "../../src/onnx/generated/onnx_pb.js";
import { foreignProto, serialize } from "../support/onnx-builder.js";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "temper-external-"));
  mkdirSync(join(root, "model", "parts"), { recursive: true });
  const bytes = new Uint8Array(Float32Array.of(9, 1, 2, 3, 4, 5, 6).buffer);
  for (const place of ["secret.bin", "model/weights.bin", "model/parts/weights.bin"])
    writeFileSync(join(root, place), bytes);
  symlinkSync(join(root, "secret.bin"), join(root, "model", "link.bin"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Opens a model whose weight lies in another file. */
function open(entries: Readonly<Record<string, string>>) {
  const proto = foreignProto({ nodes: [{ op: "MatMul", in: ["x", "w"] }] });
  const externalData = Object.entries(entries).map(([key, value]) =>
    create(StringStringEntryProtoSchema, { key, value }),
  );
  proto.graph?.initializer.push(
    create(TensorProtoSchema, {
      name: "w",
      dataType: Kind.FLOAT,
      dims: [3n, 2n],
      dataLocation: Location.EXTERNAL,
      externalData,
    }),
  );
  return openClassifier(join(root, "model", "m.onnx"), serialize(proto));
}

describe("external data", () => {
  it.each(["weights.bin", "parts/weights.bin", "./parts/../weights.bin"])("%s is read", (location) => {
    const { classifier } = open({ location, offset: "4", length: "24" });
    const weights = classifier.weights["w"];
    expect(weights && [...toNumbers(weights)]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("up to the end where no length is given", () => {
    expect(open({ location: "weights.bin", offset: "4" }).classifier.model.classes).toBe(2);
  });

  it.each([
    ["../secret.bin", "a path that leaves it"],
    ["parts/../../secret.bin", "a path that leaves it"],
    ["/etc/hostname", "a path that leaves it"],
    ["", "a path that leaves it"],
    [".", "a path that leaves it"],
    ["link.bin", "a link that leaves it"],
    ["parts", "none"],
    ["missing.bin", "none"],
  ])("'%s' is refused", (location, got) => {
    expect(() => open({ location, offset: "4", length: "24" })).toThrow(
      new TemperError(
        `${join(root, "model", "m.onnx")}: external data '${location}': expected a file inside the model's own folder, got ${got}`,
      ),
    );
  });

  it.each([
    [{ offset: "8", length: "24" }, "24 bytes from 8"],
    [{ offset: "-4", length: "24" }, "24 bytes from -4"],
    [{ offset: "much", length: "24" }, "24 bytes from NaN"],
  ])("a part that the file does not have: %o", (part, got) => {
    expect(() => open({ location: "weights.bin", ...part })).toThrow(
      `tensor 'w': expected a part of the 28 bytes of 'weights.bin', got ${got}`,
    );
  });
});
