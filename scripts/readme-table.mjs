// Puts a finished run's table into README.md. Usage: node scripts/readme-table.mjs [FOLDER]
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readRun, terminalTable } from "temper-ml";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const record = await readRun(process.argv[2] ?? join(root, "runs", "quickstart"));
const { environment, times } = record.run;
const seconds = Object.values(times).reduce(
  (sum, { training, evaluation }) => sum + training + evaluation,
  0,
);
const about =
  `Measured with Temper ${environment.temper} on ${environment.processor}, ONNX Runtime ${environment.onnxruntime}, ` +
  `${environment.jobs} engines of ${environment.threads} thread side by side, ${seconds.toFixed(0)} s of engine time.`;
const readme = join(root, "README.md");
const [open, close] = ["<!-- quickstart-table -->", "<!-- /quickstart-table -->"];
const text = readFileSync(readme, "utf8");
const [before = "", rest = ""] = text.split(open);
const after = rest.split(close)[1] ?? "";
const table = terminalTable(record.results, 80, { color: false }).trimEnd();
writeFileSync(readme, `${before}${open}\n\n${"```text"}\n${table}\n${"```"}\n\n${about}\n\n${close}${after}`);
