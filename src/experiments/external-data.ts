// Tensors that lie in files beside a model: read in place, never from outside its folder.
import { closeSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve } from "node:path";
import { check, fail } from "../base/errors.js";
import type { ExternalData } from "../onnx/read-tensor.js";

const isInside = (folder: string, path: string): boolean => {
  const way = relative(folder, path);
  return way !== "" && !isAbsolute(way) && way.split(/[\\/]/)[0] !== "..";
};

/** The file called `location`, links followed, or the error that it lies elsewhere or is none. */
function fileInside(folder: string, location: string): string {
  const where = `external data '${location}'`;
  const inside = "a file inside the model's own folder";
  const path = resolve(folder, location);
  const named = location !== "" && !location.includes("\0") && !isAbsolute(location);
  check(named && isInside(folder, path), where, inside, () => "a path that leaves it");
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return fail(where, inside, "none");
  const real = realpathSync(path);
  check(isInside(realpathSync(folder), real), where, inside, () => "a link that leaves it");
  return real;
}

/** Reads tensors from files in the folder of the model at `path`; one line where they lie elsewhere. */
export function filesBeside(path: string): ExternalData {
  const folder = resolve(dirname(path));
  return (location) => {
    const file = fileInside(folder, location);
    return {
      bytes: statSync(file).size,
      read: (offset, length) => {
        const bytes = new Uint8Array(length);
        const descriptor = openSync(file, "r");
        try {
          readSync(descriptor, bytes, 0, length, offset);
        } finally {
          closeSync(descriptor);
        }
        return bytes;
      },
    };
  };
}
