// Files and folders that users name, refused in one line before any work is done.
import { access, constants, readdir, readFile, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { check, fail } from "../base/errors.js";
import { errorCode, makeFolder } from "../data/disk.js";

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EISDIR: "a folder",
  ENOTDIR: "no such file",
  EACCES: "one without permission to read",
};

/** The bytes of the file at `path`; `what` names it in the message: `a recipe`. */
export async function readBytes(path: string, what: string): Promise<Uint8Array> {
  return readFile(path).catch((error: unknown) => {
    const code = errorCode(error) ?? String(error);
    return fail(path, what, reasons[code] ?? code);
  });
}

/** Text with none of the control characters but tabs and line ends; undefined where `bytes` are something else. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** The YAML in the file at `path`; refuses what is no text and what holds nothing but comments. */
export async function readText(path: string, what: string): Promise<string> {
  const text = textOf(await readBytes(path, what)) ?? fail(path, what, "a file that is not text");
  const empty = text.split("\n").every((line) => /^\s*(#|$)/.test(line));
  return empty ? fail(path, what, "an empty file") : text;
}

export const exists = async (path: string): Promise<boolean> => (await stat(path).catch(() => null)) !== null;

const realPath = (path: string): Promise<string | null> => realpath(path).catch(() => null);

/**
 * Throws unless an ONNX file can be written to `path`: over another ONNX file at most, never over `input`, what the
 * command reads. Makes its folder.
 */
export async function checkOutputFile(path: string, input: string): Promise<void> {
  const there = await stat(path).catch(() => null);
  check(there?.isDirectory() !== true, path, "a file to write", () => "a folder");
  if (there !== null) {
    const same = (await realPath(path)) === (await realPath(input));
    check(!same, path, "a file to write beside the input", () => "the input itself");
    const replaceable = path.toLowerCase().endsWith(".onnx");
    check(replaceable, path, "a new file or one that ends in .onnx", () => "another file that is there");
  }
  const folder = dirname(path);
  await makeFolder(folder);
  const writable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  check(writable, path, "a place to write to", () => `${folder}, which is read-only`);
}

/** Names in the folder at `path`; none where there is no folder. */
export async function entriesOf(path: string): Promise<string[]> {
  return readdir(path).catch((error: unknown) =>
    errorCode(error) === "ENOENT"
      ? []
      : fail(path, "a folder", errorCode(error) === "ENOTDIR" ? "a file" : String(error)),
  );
}
