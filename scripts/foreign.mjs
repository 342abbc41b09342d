// Audits a folder of classifiers made by others, as its user would, and prints docs/FOREIGN.md's tables. The folder's
// listing.json names each: { name, model, source, architecture, input, images, data: [arguments of temper audit],
// attack: [arguments], reference: { by, correct, of }, published? }; `attack` runs on fewer images than `data`.
// Usage: node scripts/foreign.mjs FOLDER [--write FILE]; audits that FOLDER/runs holds are not done again
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { write: { type: "string" } } });
const folder = resolve(positionals[0] ?? ".");
const cli = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

const percent = (share) => (100 * share).toFixed(2);

/** The record of `temper audit` with these arguments; of an earlier call where runs/ holds one. */
function audit(name, args) {
  const out = join("runs", name.replaceAll(/[^\w.-]+/g, "-"));
  const record = join(folder, out, "audit.json");
  if (!existsSync(record)) {
    const options = { cwd: folder, encoding: "utf8" };
    const { status, stderr } = spawnSync(process.execPath, [cli, "audit", ...args, "--out", out], options);
    if (status !== 0) throw new Error(`${name}: ${stderr.trim().split("\n").at(-1)}`);
  }
  return JSON.parse(readFileSync(record, "utf8"));
}

/** One classifier: all its images under one step, for the clean accuracy; then fewer under `attack`. */
function rowOf({ name, model, data, attack, reference, ...about }) {
  const clean = audit(`${name}-clean`, [model, ...data, "--attack", "fgsm", "--epsilon", "1/255"]);
  const hard = audit(name, [model, ...data, ...attack]);
  const correct = Math.round(clean.clean * clean.dataset.n);
  const equal = correct === reference.correct && clean.dataset.n === reference.of;
  process.stderr.write(`${name}: ${correct} of ${clean.dataset.n}, reference ${reference.correct}\n`);
  const [robust] = hard.robust;
  const flags = hard.flags.map(({ name: flag }) => flag);
  const { environment } = hard;
  const notes = [...hard.model.notes, ...hard.dataset.notes, ...flags.map((flag) => `doubt: ${flag}`)];
  return {
    name,
    about,
    reference,
    correct,
    equal,
    robust,
    hard,
    notes,
    environment,
    args: [model, ...data, ...attack],
  };
}

const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

const listing = JSON.parse(readFileSync(join(folder, "listing.json"), "utf8"));
const rows = listing.map(rowOf);

const origins = table(
  ["classifier", "from", "architecture", "input", "images"],
  rows.map(({ name, about }) => [name, about.source, about.architecture, about.input, about.images]),
);
const accuracies = table(
  ["classifier", "right by its own side", "right by Temper", "published", "equal", "under attack"],
  rows.map(({ name, about, reference, correct, equal, robust, hard }) => [
    name,
    `${reference.correct} of ${reference.of} (${reference.by})`,
    `${correct} of ${reference.of}`,
    about.published ?? "–",
    equal ? "yes" : "**no**",
    `${percent(hard.clean)} → ${percent(robust.accuracy)} (${robust.attack}, ${robust.options.steps} steps, ε ${Number(
      (robust.epsilon * 255).toFixed(2),
    )}/255, ${robust.n} images)`,
  ]),
);
const quoted = (text) => (/[\s*?]/.test(text) ? `'${text}'` : text);
const commands = rows.map(({ name, args, notes }) =>
  [
    `**${name}**`,
    `    npx temper audit ${args.map(quoted).join(" ")}`,
    notes.length === 0 ? "No notes." : notes.map((note) => `- ${note}`).join("\n"),
  ].join("\n\n"),
);
const [{ environment: e }] = rows;
const measured = `Measured with Temper ${e.temper} on ${e.processor}, ONNX Runtime ${e.onnxruntime}.`;
const page = [origins, accuracies, measured, "## Commands and notes", ...commands].join("\n\n");
if (values.write === undefined) console.log(page);
else {
  const text = readFileSync(values.write, "utf8");
  const [before] = text.split("<!-- foreign -->");
  writeFileSync(values.write, `${before}<!-- foreign -->\n\n${page}\n`);
}
process.exitCode = rows.every(({ equal }) => equal) ? 0 : 1;
