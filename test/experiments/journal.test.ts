// The journal of an evaluation on the disk: what it keeps through kills, and when it starts anew.
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { journalIdentity, openJournal } from "../../src/experiments/journal.js";
import type { JournalEntry } from "../../src/evaluation/journal.js";

const folder = mkdtempSync(join(tmpdir(), "temper-journal-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, "deep", "journal.jsonl");

const entry = (index: number, more: Partial<JournalEntry> = {}): JournalEntry => ({
  indices: [index, index + 1],
  classes: [3, -1],
  outside: 0,
  nonFinite: 1,
  rounding: { checked: 1, lost: 0 },
  milliseconds: 12.5,
  ...more,
});
const rich = entry(4, { distances: [0.1 + 0.2, Infinity], points: Float32Array.of(0.1, -0, 1e-30, 255) });

describe("a journal's file", () => {
  const identity = journalIdentity({ model: "a" });

  it("gives back what was written, number for number", async () => {
    const first = await openJournal(path, identity);
    expect(first.known).toEqual({ batches: 0, milliseconds: 0 });
    await first.write("0 pgd", entry(0));
    await first.write("0 pgd", rich);
    await first.write("1 fgsm", entry(8));
    const again = await openJournal(path, identity);
    expect(again.read("0 pgd")).toEqual([entry(0), rich]);
    expect(again.read("1 fgsm")).toEqual([entry(8)]);
    expect(again.read("2")).toEqual([]);
    expect(again.known).toEqual({ batches: 3, milliseconds: 37.5 });
  });

  it("leaves out a line that a kill cut off, and goes on behind it", async () => {
    appendFileSync(path, readFileSync(path, "utf8").split("\n")[1]?.slice(0, 40) ?? "");
    const journal = await openJournal(path, identity);
    expect(journal.known.batches).toBe(3);
    await journal.write("1 fgsm", entry(10));
    expect((await openJournal(path, identity)).read("1 fgsm")).toEqual([entry(8), entry(10)]);
  });

  it("starts anew for anything else that decides the results, and for what is no journal", async () => {
    const other = await openJournal(path, journalIdentity({ model: "b" }));
    expect(other.known.batches).toBe(0);
    expect((await openJournal(path, identity)).known.batches).toBe(0);
    writeFileSync(path, "something else\n[1, 2]\n");
    expect((await openJournal(path, identity)).known.batches).toBe(0);
  });

  it("is gone when the evaluation is done", async () => {
    await (await openJournal(path, identity)).remove();
    expect(existsSync(path)).toBe(false);
  });
});
