// Numbers and names as reports write them.
import { describe, expect, it } from "vitest";
import { palettes, styleOf } from "../../src/report/palette.js";
import { attackGroups, meanAndSpread } from "../../src/report/table.js";
import {
  attackText,
  duration,
  epsilonText,
  escapeMarkdown,
  escapeMarkup,
  integer,
  percent,
  plain,
  shorten,
  unitText,
} from "../../src/report/text.js";
import type { RobustRecord } from "../../src/experiments/records.js";

describe("units of radii", () => {
  it("are those of the inputs, and elements in L0", () => {
    expect([["linf", "l2"], ["l0"], ["linf", "l0"], []].map((norms) => unitText(norms))).toEqual([
      "input units",
      "input elements",
      "input units, in L0 input elements",
      "input units",
    ]);
    expect(unitText(["l1", "l0"], "pixels")).toBe("pixels, in L0 input elements");
  });
});

describe("numbers", () => {
  it("writes radii by their shorter name", () => {
    expect([0, 0.05, 0.1, 0.3, 8 / 255, 1 / 255, 0.12345, 2, 1.5].map(epsilonText)).toEqual([
      "0",
      "0.05",
      "0.1",
      "0.3",
      "8/255",
      "1/255",
      "0.1235",
      "2",
      "1.5",
    ]);
  });

  it("writes shares with as many decimals as the images carry", () => {
    expect([percent(0.91514, 10000), percent(0.5, 128), percent(1, 1000), percent(0, 10)]).toEqual([
      "91.51",
      "50.0",
      "100.00",
      "0.0",
    ]);
  });

  it("groups thousands", () =>
    expect([integer(999), integer(10000), integer(1234567)]).toEqual(["999", "10,000", "1,234,567"]));

  it("writes times", () =>
    expect([0, 59.9, 59.99, 61, 185, 3723].map(duration)).toEqual([
      "0.0 s",
      "59.9 s",
      "1:00 min",
      "1:01 min",
      "3:05 min",
      "1:02:03 h",
    ]));

  it("takes the sample standard deviation", () => {
    expect(meanAndSpread([1, 3])).toEqual({ mean: 2, spread: Math.SQRT2 });
    expect(meanAndSpread([5])).toEqual({ mean: 5, spread: null });
  });
});

describe("names", () => {
  it("spells acronyms in capitals, and names as their makers do", () =>
    expect(["fgsm", "pgd", "apgd-t", "deepfool", "transfer"].map(attackText)).toEqual([
      "FGSM",
      "PGD",
      "APGD-T",
      "DeepFool",
      "transfer",
    ]));

  it("escapes", () => {
    expect(escapeMarkup(`<b a="1">&'\u0000`)).toBe("&lt;b a=&quot;1&quot;&gt;&amp;&#39;");
    expect(escapeMarkdown("a|b*c_[x](y)<z>\n# d")).toBe("a\\|b\\*c\\_\\[x\\](y)\\<z\\> \\# d");
    expect(plain("a\u001b[31m\tb\ud800")).toBe("a[31m b");
    expect([shorten("abcdef", 4), shorten("abcd", 4)]).toEqual(["abc…", "abcd"]);
  });

  it("tells attacks of one name apart by what differs, and puts single steps last", () => {
    const record = (options: Record<string, unknown>, more: Partial<RobustRecord> = {}): RobustRecord => ({
      attack: "pgd",
      norm: "linf",
      epsilon: 0.1,
      accuracy: 0.5,
      n: 10,
      labels: "true",
      options,
      ...more,
    });
    const titles = attackGroups([
      record({ steps: 20, restarts: 1 }),
      record({ steps: 20, restarts: 5 }),
      record({ steps: 100, restarts: 1 }),
      record({ steps: 100, restarts: 1 }, { epsilon: 0.2 }),
      record({ steps: 100, restarts: 1 }, { norm: "l2" }),
      record({ steps: 100, restarts: 1 }, { labels: "predicted" }),
    ]).map(({ title }) => title);
    const versions = [{ version: "fast" }, { version: "standard" }].map(
      (options) => attackGroups([record(options, { attack: "autoattack" })])[0]?.title,
    );
    expect(versions).toEqual(["AutoAttack (fast) L∞", "AutoAttack L∞"]);
    expect(attackGroups([record({}, { attack: "fgsm" }), record({})]).map(({ attack }) => attack)).toEqual([
      "pgd",
      "fgsm",
    ]);
    expect(titles).toEqual([
      "PGD-20 L∞ (restarts 1)",
      "PGD-20 L∞ (restarts 5)",
      "PGD-100 L∞",
      "PGD-100 L2",
      "PGD-100 L∞ (labels predicted)",
    ]);
  });
});

/** Relative luminance and contrast as WCAG 2 defines them. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

describe("colours", () => {
  it.each(["light", "dark"] as const)("can be read in the %s", (theme) => {
    const { paper, card, rule: _, ...inks } = palettes[theme];
    for (const [name, value] of Object.entries(inks)) {
      const least = name.startsWith("method") ? 3 : 4.5;
      expect(contrast(value, paper), name).toBeGreaterThanOrEqual(least);
      if (!name.startsWith("method")) expect(contrast(value, card), name).toBeGreaterThanOrEqual(least);
    }
  });

  it("never gives two of the first fifty methods the same look", () => {
    const looks = Array.from({ length: 50 }, (_, i) => JSON.stringify(styleOf(i)));
    expect(new Set(looks).size).toBe(50);
  });
});
