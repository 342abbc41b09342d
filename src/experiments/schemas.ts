// The JSON schemas of Temper's files, as kept in schemas/.
import { z } from "zod";
import { schemas } from "./records.js";

const titles: Readonly<Record<keyof typeof schemas, string>> = {
  results: "results.json: what a run measured",
  audit: "audit.json: what an audit measured",
  metrics: "one line of metrics.jsonl: an epoch of a trial",
  run: "run.json: what was run, where and for how long",
  profile: "a profile: where a method's training step spends its time",
};

/** Texts of the schema files by name. */
export function jsonSchemas(): Record<string, string> {
  const entries = Object.entries(schemas).map(([name, schema]) => {
    const json = { title: titles[name as keyof typeof schemas], ...z.toJSONSchema(schema) };
    return [`${name}.schema.json`, `${JSON.stringify(json, null, 2)}\n`] as const;
  });
  return Object.fromEntries(entries);
}
