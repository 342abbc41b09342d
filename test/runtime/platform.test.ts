// On a platform without a binary the engine says so in one line.
import { expect, it, vi } from "vitest";
import { TemperError } from "../../src/base/errors.js";
import { loadOrt } from "../../src/runtime/ort.js";

vi.mock("onnxruntime-node", () => {
  throw new Error(
    "Cannot find module '../bin/napi-v6/darwin/x64/onnxruntime_binding.node'\nRequire stack:\n- …",
  );
});

it("names the platform, what there is, and no stack", async () => {
  const loading = loadOrt();
  await expect(loading).rejects.toThrow(TemperError);
  await expect(loading).rejects.toThrow(
    new RegExp(
      `^engine: ONNX Runtime has no binary for ${process.platform} ${process.arch} ` +
        "\\(allowed: linux x64 and arm64, macOS arm64, Windows x64 and arm64\\): [^\\n]+$",
    ),
  );
});
