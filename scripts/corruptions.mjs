// `node scripts/corruptions.mjs`: draws docs/corruptions.png, one digit under every corruption at severity 3.
import { writeFileSync } from "node:fs";
import { encode } from "fast-png";
import { setup } from "./setup.mjs";

setup();
const { corruptions, corrupt, datasetNamed, loadDataset } = await import("../dist/index.js");
const { selectCorruptions } = await import("../dist/corruptions/select.js");

const { test, imageShape } = await loadDataset(datasetNamed("mnist"));
const [, height, width] = imageShape;
const size = height * width;
const images = Float32Array.from(test.images.subarray(0, size), (byte) => byte / 255);
const names = selectCorruptions("sheet", ["all"], 1).map(({ name }) => name);
const cells = [
  images,
  ...names.map((name) => corrupt(corruptions[name], images, { imageShape, indices: [0], severity: 3 })),
];

/** Cells in rows of five, pixels three times their size, lines between. */
const [across, zoom, gap] = [5, 3, 6];
const down = Math.ceil(cells.length / across);
const sheetWidth = across * (width * zoom + gap) - gap;
const sheetHeight = down * (height * zoom + gap) - gap;
const data = new Uint8Array(sheetWidth * sheetHeight).fill(255);
cells.forEach((cell, i) => {
  const top = Math.floor(i / across) * (height * zoom + gap);
  const left = (i % across) * (width * zoom + gap);
  for (let y = 0; y < height * zoom; y++)
    for (let x = 0; x < width * zoom; x++) {
      const value = cell[Math.floor(y / zoom) * width + Math.floor(x / zoom)];
      data[(top + y) * sheetWidth + left + x] = Math.round(value * 255);
    }
});
const png = encode({ width: sheetWidth, height: sheetHeight, data, channels: 1, depth: 8 });
writeFileSync(new URL("../docs/corruptions.png", import.meta.url), png);
console.log(["none", ...names].join(", "));
