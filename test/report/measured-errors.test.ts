// Errors by epoch where they were measured: what is drawn, on which scale, and beside what.
import { JSDOM } from "jsdom";
import { describe, expect, it } from "vitest";
import type { MetricsLine } from "../../src/experiments/records.js";
import type { RunRecord } from "../../src/experiments/run-record.js";
import { errorCurves } from "../../src/report/error-curves.js";
import { standalone, type Figure } from "../../src/report/figure.js";
import { measuredErrors } from "../../src/report/measured-errors.js";
import { fakeRun } from "./fake-run.js";
import { expectGolden } from "./golden.js";

/** The record with measured errors that begin at 90 % and fall: half of the training error, and some more on validation images. */
function measured(
  record: RunRecord,
  splits: readonly ("test" | "validation")[] = ["test"],
  which: (line: MetricsLine) => boolean = () => true,
): RunRecord {
  const metrics = record.metrics.map((line) => {
    const error = line.metrics["error"] ?? NaN;
    const test = line.epoch === 1 ? 0.9 : 0.01 + error / 2 + line.seed / 1000;
    const own = {
      ...(splits.includes("test") && { testError: test }),
      ...(splits.includes("validation") && { validationError: test + 0.001 }),
    };
    return which(line) ? { ...line, metrics: { ...line.metrics, ...own } } : line;
  });
  return { ...record, metrics };
}
const inCase = (record: RunRecord, of: string): RunRecord => ({
  ...record,
  results: { ...record.results, rows: record.results.rows.map((row) => ({ ...row, case: of })) },
  metrics: record.metrics.map((line) => ({ ...line, case: of })),
  galleries: [],
});
const both = (a: RunRecord, b: RunRecord): RunRecord => ({
  ...a,
  results: { ...a.results, rows: [...a.results.rows, ...b.results.rows] },
  metrics: [...a.metrics, ...b.metrics],
  galleries: [],
});

const names = ["standard", "adversarial-backprop"];
const figureOf = async (record: RunRecord): Promise<Figure> => {
  const figure = await measuredErrors(record);
  if (!figure) throw new Error("no figure");
  return figure;
};
const documentOf = (figure: Figure): Document =>
  new JSDOM(standalone(figure), { contentType: "image/svg+xml" }).window.document;
const titlesOf = (figure: Figure): (string | null | undefined)[] =>
  [...documentOf(figure).querySelectorAll("text[font-weight=bold]")].slice(1).map((each) => each.textContent);

/** Numbers on the vertical axis. */
const ticksOf = (figure: Figure): number[] =>
  [...documentOf(figure).querySelectorAll("g[aria-label='y-axis tick label'] text")].map((each) =>
    Number(each.textContent),
  );

describe("measured errors", () => {
  it("are lines with bands over seeds, thin ones beside them for training", async () => {
    const figure = await figureOf(measured(fakeRun({ names, seeds: [0, 1, 2] })));
    expectGolden("measured-errors.svg", standalone(figure));
    const drawn = documentOf(figure);
    const lines = [...drawn.querySelectorAll("g[aria-label=line]")];
    expect(lines.map((each) => each.getAttribute("stroke-dasharray"))).toEqual(["5,3", "5,3", null, null]);
    expect(drawn.querySelectorAll("g[aria-label=area] path")).toHaveLength(2);
    expect(figure.caption).toContain("bands: from the lowest seed to the highest. Thin dashes: the training");
    expect(titlesOf(figure)).toEqual(["Test error"]);
  });

  it("end their axis above what the first tenth of the epochs leaves, and cut lines there", async () => {
    const long = fakeRun({ names });
    const metrics = Array.from({ length: 40 }, (_, i) =>
      long.metrics.filter(({ epoch }) => epoch === 1).map((line) => ({ ...line, epoch: i + 1 })),
    ).flat();
    const falling = metrics.map((line) => ({
      ...line,
      metrics: { testError: line.epoch < 4 ? 0.5 : 0.05, error: 0.2 },
    }));
    const figure = await figureOf({ ...long, metrics: falling });
    expect(Math.max(...ticksOf(figure))).toBe(5);
    expect(figure.caption).toContain("lines are cut there");
    // Training errors lie wholly above the axis; the others enter it between the third epoch and the fourth.
    const lines = [...documentOf(figure).querySelectorAll("g[aria-label=line] path")];
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line.getAttribute("d")).toMatch(/^M72\.06,30L72\.15,/);
    const whole = await figureOf({
      ...long,
      metrics: falling.map((line) => ({ ...line, metrics: { testError: 0.05 } })),
    });
    expect(whole.caption).toBe(
      "Share of images misread by the weights after each epoch, in evaluation mode.",
    );
  });

  it("have a panel for each split and case", async () => {
    const record = fakeRun({ names });
    const a = inCase(measured(record), "relu");
    const b = inCase(measured(record, ["test", "validation"]), "tanh");
    const figure = await figureOf(both(a, b));
    expect(titlesOf(figure)).toEqual(["relu: test error", "tanh: test error", "tanh: validation error"]);
    expect(figure.title).toBe("Test error and Validation error by epoch");
  });

  it("take the place of the training curves, case by case", async () => {
    const record = fakeRun({ names });
    expect(await measuredErrors(record)).toBeNull();
    expect(await errorCurves(measured(record))).toBeNull();
    const some = both(inCase(measured(record), "relu"), inCase(record, "tanh"));
    expect(titlesOf(await figureOf(some))).toEqual(["relu: test error"]);
    expect((await errorCurves(some))?.alt).toBe(
      "Training error by epoch for tanh.standard, tanh.adversarial-backprop.",
    );
  });
});
