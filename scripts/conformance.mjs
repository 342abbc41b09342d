// ONNX's own node tests against the importer: how many Temper passes, by operator, and why not the others.
// Usage: node scripts/conformance.mjs FOLDER --onnx VERSION [--write] [--fixtures]
// FOLDER is onnx/backend/test/data/node of a wheel of the Python package `onnx` (pip download --no-deps onnx==1.22.0;
// unzip). `--write` renews the tables of docs/ONNX.md, `--fixtures` the tests that the suite repeats.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { loadSource } from "./source.mjs";

const { positionals, values: flags } = parseArgs({
  allowPositionals: true,
  options: { onnx: { type: "string" }, write: { type: "boolean" }, fixtures: { type: "boolean" } },
});
const [folder] = positionals;
if (folder === undefined || flags.onnx === undefined || !existsSync(folder)) {
  console.error(
    "usage: node scripts/conformance.mjs FOLDER --onnx VERSION [--write] [--fixtures]\n" +
      "FOLDER: onnx/backend/test/data/node of the Python package onnx, for instance by\n" +
      "  pip download --no-deps onnx==1.22.0 && unzip -q onnx-1.22.0-*.whl 'onnx/backend/test/data/node/*'",
  );
  process.exit(1);
}

const pathOf = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** The test in the folder `name`. */
function read(name) {
  const series = (kind) => {
    const files = [];
    for (let i = 0; ; i++) {
      const path = join(folder, name, "test_data_set_0", `${kind}_${i}.pb`);
      if (!existsSync(path)) return files;
      files.push(readFileSync(path));
    }
  };
  return {
    name,
    model: readFileSync(join(folder, name, "model.onnx")),
    inputs: series("input"),
    outputs: series("output"),
  };
}

/** `items` by what `key` says of each, in the order of the keys. */
function grouped(items, key) {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

const written = "several operators (functions written out)";
const rowOf = ({ operators }) => (operators.length === 1 ? operators[0] : written);
const table = (heads, rows) =>
  [heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
const quoted = (text) => text.replaceAll("|", "\\|");

/** The page's tables. */
function tablesOf(verdicts) {
  const of = (outcome) => verdicts.filter((verdict) => verdict.outcome === outcome);
  const [passed, failed, outside, unknown] = ["passed", "failed", "outside", "unknown"].map(of);
  const asked = [...passed, ...failed];
  const percent = ((100 * passed.length) / asked.length).toFixed(1);
  const byOperator = grouped(asked, rowOf).map(([operator, tests]) => {
    const good = tests.filter(({ outcome }) => outcome === "passed").length;
    return [operator, `${good} of ${tests.length}`];
  });
  const missing = new Map();
  for (const { reason } of unknown)
    for (const operator of reason.split(", ")) missing.set(operator, (missing.get(operator) ?? 0) + 1);
  const byCount = [...missing].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return [
    `Of the ${verdicts.length} node tests of onnx ${flags.onnx}, ${asked.length} ask for what Temper imports. ` +
      `**${passed.length} of ${asked.length} pass (${percent} %).**`,
    table(["operator", "passed"], byOperator),
    "Not passed:",
    table(
      ["test", "why"],
      failed.map(({ name, reason }) => [`\`${name}\``, quoted(reason)]),
    ),
    "Outside of what a classifier over floats asks of an importer, and not counted:",
    table(
      ["tests", "why"],
      grouped(outside, ({ reason }) => reason).map(([reason, tests]) => [tests.length, reason]),
    ),
    `Not counted either: ${unknown.length} tests of operators that Temper does not import, refused by name: ` +
      `${byCount.map(([operator, n]) => `${operator} (${n})`).join(", ")}.`,
  ].join("\n\n");
}

const [begin, end] = ["<!-- conformance -->", "<!-- /conformance -->"];

/** The two smallest passed tests of each operator, and of functions written out: what the suite repeats. */
function fixturesOf(verdicts) {
  const size = ({ model, inputs, outputs }) =>
    [model, ...inputs, ...outputs].reduce((sum, bytes) => sum + bytes.length, 0);
  const passed = verdicts.filter(({ outcome }) => outcome === "passed");
  return grouped(passed, rowOf).flatMap(([row, tests]) => {
    const bySize = tests.map(({ name }) => read(name)).sort((a, b) => size(a) - size(b));
    return bySize.filter((test) => size(test) < 20_000).slice(0, row === written ? 40 : 3);
  });
}

const base64 = (bytes) => bytes.toString("base64");
const { modules, close } = await loadSource("test/support/node-tests.ts", "src/runtime/engine.ts");
const [{ verdictOf }, { localEngine }] = modules;
const engine = localEngine({ threads: 1 });
const verdicts = [];
for (const name of readdirSync(folder).sort()) verdicts.push(await verdictOf(engine, read(name)));
await engine.close();
const tables = tablesOf(verdicts);
if (flags.write) {
  const page = readFileSync(pathOf("docs/ONNX.md"), "utf8");
  const [before, rest = ""] = page.split(begin);
  const [, after = ""] = rest.split(end);
  writeFileSync(pathOf("docs/ONNX.md"), `${before}${begin}\n\n${tables}\n\n${end}${after}`);
} else console.log(tables);
if (flags.fixtures) {
  const tests = fixturesOf(verdicts).map(({ name, model, inputs, outputs }) => ({
    name,
    model: base64(model),
    inputs: inputs.map(base64),
    outputs: outputs.map(base64),
  }));
  const packed = gzipSync(JSON.stringify({ onnx: flags.onnx, tests }), { level: 9 });
  writeFileSync(pathOf("test/fixtures/node-tests.json.gz"), packed);
  console.log(`${tests.length} fixtures, ${packed.length} bytes`);
}
await close();
