// The JSON schemas of Temper's files, as kept in schemas/.
import { z } from "zod";
import { correctFile } from "./correctness.js";
import { keptImages, keptResults } from "./kept-results.js";
import { schemas } from "./records.js";

const all = {
  ...schemas,
  correct: correctFile,
  "kept-results": keptResults,
  "kept-images": keptImages,
} as const;

const titles: Readonly<Record<keyof typeof all, string>> = {
  results: "results.json: what a run measured",
  audit: "audit.json: what an audit measured",
  metrics: "one line of metrics.jsonl: an epoch of a trial",
  run: "run.json: what was run, where and for how long",
  profile: "a profile: where a method's training step spends its time",
  correct: "correct.json: which images a trial's model reads rightly",
  "kept-results": "results/NAME.json: what is kept of a recipe's finished trials",
  "kept-images": "results/NAME.images.json: which images the models of kept trials read rightly",
};

/** Texts of the schema files by name. */
export function jsonSchemas(): Record<string, string> {
  const entries = Object.entries(all).map(([name, schema]) => {
    const json = { title: titles[name as keyof typeof all], ...z.toJSONSchema(schema) };
    return [`${name}.schema.json`, `${JSON.stringify(json, null, 2)}\n`] as const;
  });
  return Object.fromEntries(entries);
}
