// Runs README's shell commands verbatim in an empty folder, with the packed package in place of the published one,
// then its library example. Usage: node scripts/readme-commands.mjs
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const readme = readFileSync(join(root, "README.md"), "utf8");
const blocks = [...readme.matchAll(/^```(sh|js)[^\n]*\n([\s\S]*?)^```$/gm)];
const textOf = (language) => blocks.filter((block) => block[1] === language).map((block) => block[2]);

const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", tmpdir()], {
  cwd: root,
  encoding: "utf8",
  stdio: ["ignore", "pipe", "inherit"],
});
const [{ filename, size }] = JSON.parse(packed.slice(packed.indexOf("[\n")));
const tarball = join(tmpdir(), filename);
const folder = mkdtempSync(join(tmpdir(), "temper-readme-"));
const cache = join(folder, "cache");
console.log(`packed ${filename}, ${(size / 1e6).toFixed(2)} MB; empty folder ${folder}`);

/** Runs one shell line; the only change is where the package comes from. */
function run(line) {
  const command = line.replace(/(npm install) temper-ml/, `$1 ${tarball}`);
  console.log(`\n$ ${line}`);
  const begun = performance.now();
  const { status } = spawnSync("bash", ["-euo", "pipefail", "-c", command], {
    cwd: folder,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, TEMPER_CACHE: cache },
  });
  console.log(`[exit ${status}, ${((performance.now() - begun) / 1000).toFixed(1)} s]`);
  if (status !== 0) throw new Error(`failed: ${line}`);
}

try {
  for (const line of textOf("sh").join("").split("\n").filter(Boolean)) run(line);
  for (const file of ["before/audit.json", "after/report.html", "hardened.onnx", "attack.onnx"])
    if (statSync(join(folder, file)).size === 0) throw new Error(`${file} is empty`);
  const under = (name) => JSON.parse(readFileSync(join(folder, name, "audit.json"), "utf8")).robust;
  const pgd = (name) =>
    under(name).find(({ attack, epsilon }) => attack === "pgd" && epsilon === 0.1).accuracy;
  if (!(pgd("after") > pgd("before"))) throw new Error("hardening did not help under PGD");
  for (const text of textOf("js")) {
    writeFileSync(join(folder, "example.mjs"), text);
    run("node example.mjs");
  }
  console.log("\nREADME's commands and example ran as written");
} finally {
  rmSync(folder, { recursive: true, force: true });
  rmSync(tarball, { force: true });
}
