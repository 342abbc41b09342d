// Damaged files for the importer: each must give a graph or one clear line, soon and in little memory.
// Usage: node scripts/fuzz-import.mjs [COUNT] [SEED] [MODEL.onnx …], default 1000 cases of seed 0 on the fixtures.
import { readFileSync } from "node:fs";
import { loadSource } from "./source.mjs";

const [count = "1000", seed = "0", ...paths] = process.argv.slice(2);
const wrong = [count, seed].find((given) => !/^\d+$/.test(given));
if (wrong !== undefined) {
  console.error(`fuzz-import: expected COUNT and SEED as whole numbers, got '${wrong}'`);
  process.exit(2);
}
const { modules, close } = await loadSource("test/support/fuzz-import.ts");
const [{ fuzz, fuzzedFiles }] = modules;
const files = paths.length > 0 ? paths.map((path) => new Uint8Array(readFileSync(path))) : fuzzedFiles();
const { taken, refused, broken, slowest } = fuzz(files, Number(count), Number(seed));
await close();
for (const { sample, how } of broken.slice(0, 20)) console.log(`case ${sample}: ${how}`);
const peak = Math.round(process.resourceUsage().maxRSS / 1024);
console.log(
  `${count} cases of seed ${seed}: ${taken} taken, ${refused} refused in one line, ${broken.length} broken; ` +
    `slowest ${Math.round(slowest.time)} ms (case ${slowest.sample}), peak memory ${peak} MiB`,
);
if (broken.length > 0) process.exit(1);
