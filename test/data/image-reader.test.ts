// Images read in threads: the same bytes as in one, and errors that name the file.
import { encode } from "fast-png";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { imageReader } from "../../src/data/images/reader.js";

/** The built package has the worker's file beside it; the sources have not. */
const built = (await import(new URL("../../dist/data/images/reader.js", import.meta.url).href)) as {
  imageReader: typeof imageReader;
};

const scratch = mkdtempSync(join(tmpdir(), "temper-reader-"));
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

const paths = Array.from({ length: 12 }, (_, n) => {
  const path = join(scratch, `${n}.png`);
  const data = Uint8Array.from({ length: 108 }, (__, i) => (37 * n + 11 * i) % 256);
  writeFileSync(path, n === 7 ? "no image" : encode({ width: 6, height: 6, channels: 3, data }));
  return path;
});
const form = { imageShape: [3, 4, 4], geometry: { interpolation: "bilinear", resize: 4 } } as const;

describe("a reader of images", () => {
  it("gives the same bytes in any number of threads, and names what cannot be read", async () => {
    const results = [];
    for (const threads of [0, 1, 3]) {
      const reader = built.imageReader(form, threads);
      results.push(await Promise.allSettled(paths.map((path) => reader.read(path))));
      await reader.close();
    }
    const [here, one, three] = results;
    expect(here?.map(({ status }) => status).filter((status) => status === "rejected")).toHaveLength(1);
    const messages = results.map((each) => {
      const bad = each[7];
      return bad?.status === "rejected" ? (bad.reason as Error).message : "";
    });
    expect(new Set(messages)).toEqual(
      new Set([`${paths[7] ?? ""}: expected a JPEG, PNG or WebP image, got another or a damaged file`]),
    );
    const bytes = (each: typeof here) =>
      each?.map((result) => (result.status === "fulfilled" ? [...result.value] : null));
    expect(bytes(one)).toEqual(bytes(here));
    expect(bytes(three)).toEqual(bytes(here));
  });

  it("that is closed refuses what waits in its line", async () => {
    const reader = built.imageReader(form, 1);
    const waiting = Promise.allSettled(paths.map((path) => reader.read(path)));
    await reader.close();
    const reasons = (await waiting).flatMap((each) =>
      each.status === "rejected" ? [(each.reason as Error).message] : [],
    );
    expect(reasons).toContain("image reader: closed");
  });
});
