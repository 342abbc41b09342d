// Figures: what they draw, and that equal records give equal bytes.
import { JSDOM } from "jsdom";
import { beforeAll, describe, expect, it } from "vitest";
import { standalone, type Figure } from "../../src/report/figure.js";
import { figuresOf } from "../../src/report/figures.js";
import { diverging, divergingPixels, imagePixels } from "../../src/report/pixels.js";
import { png } from "../../src/report/raster.js";
import { fakeRun } from "./fake-run.js";
import { expectGolden } from "./golden.js";

const xml = (svg: string): Document => new JSDOM(svg, { contentType: "image/svg+xml" }).window.document;
const count = (svg: string, selector: string): number => xml(svg).querySelectorAll(selector).length;

describe("figures of a run", () => {
  let figures: Map<string, Figure>;
  const svgOf = (name: string): string => {
    const figure = figures.get(name);
    if (!figure) throw new Error(`no figure ${name}`);
    return standalone(figure);
  };
  beforeAll(async () => {
    figures = new Map((await figuresOf(fakeRun())).map((figure) => [figure.name, figure]));
  });

  it("come in the report's order", () =>
    expect([...figures.keys()]).toEqual(["accuracy-against-epsilon", "error-curves", "gallery", "features"]));

  it("look as they did", () => {
    expectGolden("accuracy-against-epsilon.svg", svgOf("accuracy-against-epsilon"));
    expectGolden("error-curves.svg", svgOf("error-curves"));
  });

  it("draw a line for each method in each panel", () => {
    expect(count(svgOf("accuracy-against-epsilon"), "g[aria-label=line] path")).toBe(10);
    expect(count(svgOf("error-curves"), "g[aria-label=line] path")).toBe(5);
  });

  it("draw bands where there are several seeds", async () => {
    const [accuracy] = await figuresOf(fakeRun({ seeds: [0, 1, 2] }));
    if (!accuracy) throw new Error("no figure");
    expect(count(standalone(accuracy), "g[aria-label=area] path")).toBe(10);
  });

  it("show eight images three times for each method, and mark wrong ones by a cross and a frame", () => {
    const gallery = xml(svgOf("gallery"));
    expect(gallery.querySelectorAll("image")).toHaveLength(5 * 24);
    const record = fakeRun();
    const wrong = record.galleries.flatMap(({ labels, predictions, adversarialPredictions }) =>
      [predictions, adversarialPredictions].flatMap((given) =>
        [...given].filter((each, i) => each !== labels[i]),
      ),
    );
    const texts = [...gallery.querySelectorAll("text")].map(({ textContent }) => textContent);
    expect(texts.filter((text) => text.endsWith("✗"))).toHaveLength(wrong.length);
    expect(gallery.querySelectorAll("rect[stroke-width='3']")).toHaveLength(wrong.length);
  });

  it("show the first 32 filters of each method", () =>
    expect(count(svgOf("features"), "image")).toBe(5 * 32));

  it("name colours by themselves once they leave the page", () => {
    for (const name of figures.keys()) expect(svgOf(name)).not.toContain("var(");
  });

  it("become PNGs, the same each time", async () => {
    const svg = svgOf("accuracy-against-epsilon");
    const [first, second] = [await png(svg), await png(svg)];
    expect([...first.subarray(1, 4)]).toEqual([0x50, 0x4e, 0x47]);
    expect(first).toEqual(second);
  });
});

describe("figures without their data", () => {
  it("are left out", async () => {
    const record = fakeRun();
    const rows = record.results.rows.map((row) => ({ ...row, robust: [] }));
    const bare = { ...record, results: { ...record.results, rows }, metrics: [], galleries: [] };
    expect(await figuresOf(bare)).toEqual([]);
  });

  it("are drawn of what there is", async () => {
    const record = fakeRun();
    const galleries = record.galleries.map((gallery) => ({ ...gallery, features: null }));
    const metrics = record.metrics
      .filter(({ epoch }) => epoch === 1)
      .map((line) => ({ ...line, metrics: { error: 0 } }));
    const names = (await figuresOf({ ...record, galleries, metrics })).map(({ name }) => name);
    expect(names).toEqual(["accuracy-against-epsilon", "error-curves", "gallery"]);
  });
});

describe("pixels", () => {
  it("turn planes into bytes", () => {
    expect([...imagePixels(Float32Array.of(0.2, 0.5, 1, 0), [1, 2, 2]).data]).toEqual([51, 128, 255, 0]);
    expect([...imagePixels(Float32Array.of(1, 0, 0, 1, 0, 0), [3, 1, 2]).data]).toEqual([
      255, 0, 0, 0, 255, 0,
    ]);
  });

  it("show values that are no pixels between the least and the most of them", () => {
    expect([...imagePixels(Float32Array.of(-1, 0, 1, 3), [1, 2, 2]).data]).toEqual([0, 64, 128, 255]);
  });

  it("diverge from blue over white to red", () => {
    expect(diverging(0, 0.1)).toEqual([255, 255, 255]);
    expect(diverging(-5, 0.1)).toEqual([5, 80, 160]);
    expect(diverging(0.1, 0.1)).toEqual([178, 24, 43]);
    expect(diverging(1, 0)).toEqual([255, 255, 255]);
    expect([...divergingPixels(Float32Array.of(0, 1), [1, 2], 1).data]).toEqual([255, 255, 255, 178, 24, 43]);
  });
});
