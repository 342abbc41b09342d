// `node scripts/results.mjs [--runs FOLDER]`: collects the finished trials of all recipes but the quickstart, which each
// machine measures anew, from the folders of their runs into results/, and writes docs/RESULTS.md from results/.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { setup } from "./setup.mjs";

setup();
const { collect } = await import("../dist/experiments/collect.js");
const { readAllKept, readKept, writeKept } = await import("../dist/experiments/kept-store.js");
const { parseRecipe } = await import("../dist/experiments/recipe-file.js");
const { resultsPage } = await import("../dist/report/kept-results.js");

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({ options: { runs: { type: "string", default: join(root, "runs") } } });
const results = join(root, "results");

const paths = readdirSync(join(root, "recipes"), { recursive: true })
  .map((file) => `recipes/${file.split(sep).join("/")}`)
  .filter((path) => path.endsWith(".yaml") && path !== "recipes/quickstart.yaml")
  .sort();

for (const path of paths) {
  const recipe = parseRecipe(readFileSync(join(root, path), "utf8"), path);
  const before = await readKept(results, recipe.name);
  const folder = join(values.runs, recipe.name);
  const { taken, dropped, ...kept } = await collect({ recipe, path, folder, before });
  await writeKept(results, kept);
  const [done, all] = [kept.results.kept.length, kept.results.trials.length];
  console.log(
    `${recipe.name}: ${done} of ${all} trials, ${taken.length} new, ${dropped.length} of an older recipe dropped`,
  );
}
writeFileSync(join(root, "docs", "RESULTS.md"), resultsPage(await readAllKept(results)));
