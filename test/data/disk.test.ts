// Whole files or none, folders level by level, one line where it does not work.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { makeFolder, writeWhole } from "../../src/data/disk.js";

const folder = mkdtempSync(join(tmpdir(), "temper-disk-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("folders", () => {
  it("are made with those above them, and again without complaint", async () => {
    await makeFolder(join(folder, "a", "b", "c"));
    await makeFolder(join(folder, "a", "b", "c"));
    expect(readdirSync(join(folder, "a", "b"))).toEqual(["c"]);
  });

  it("under a file are refused", async () => {
    writeFileSync(join(folder, "file"), "");
    await expect(makeFolder(join(folder, "file", "x"))).rejects.toThrow(
      `${join(folder, "file", "x")}: expected a place to write to, got ENOTDIR`,
    );
    await expect(makeFolder(join(folder, "file"))).rejects.toThrow("got EEXIST");
  });

  it.runIf(process.platform === "linux")("that no one can make are refused at once", async () => {
    await expect(makeFolder("/proc/temper/x")).rejects.toThrow(
      /^\/proc\/temper: expected a place to write to, got E/,
    );
  });
});

describe("files", () => {
  it("are replaced whole, and nothing is left beside them", async () => {
    const path = join(folder, "deep", "file.txt");
    await writeWhole(path, "one");
    await writeWhole(path, new Uint8Array([50]));
    expect(readFileSync(path, "utf8")).toBe("2");
    expect(readdirSync(join(folder, "deep"))).toEqual(["file.txt"]);
  });

  it("that cannot be put in place leave nothing behind", async () => {
    await makeFolder(join(folder, "taken", "inside"));
    await expect(writeWhole(join(folder, "taken"), "x")).rejects.toThrow(
      /^\S+taken: expected a place to write to, got (EISDIR|ENOTEMPTY|EEXIST|EPERM)$/,
    );
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});
