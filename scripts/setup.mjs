// Makes a checkout ready to run: the right Node, the dependencies of package-lock.json, an up-to-date dist/.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildDist } from "./dist.mjs";

/** The repository. */
const root = fileURLToPath(new URL("..", import.meta.url));

const readJson = (file) => JSON.parse(readFileSync(join(root, file), "utf8"));

/** Prints one line and ends the process. */
function stop(message, code = 1) {
  console.error(message);
  process.exit(code);
}

/** Whether `version` ("20.19.2") lies in `range` ("^20.19.0 || >=24.0.0": all that package.json uses). */
function allows(range, version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return range.split("||").some((part) => {
    const [atLeastMajor = 0, atLeastMinor = 0] = part
      .replace(/[^\d.]/g, "")
      .split(".")
      .map(Number);
    if (major !== atLeastMajor) return part.includes(">=") && major > atLeastMajor;
    return minor >= atLeastMinor;
  });
}

function checkNode() {
  const range = readJson("package.json").engines.node;
  const { node } = process.versions;
  if (!allows(range, node)) stop(`Temper needs Node ${range}; this is ${node}.`);
}

/** Whether every package that package-lock.json requires is in node_modules in that version. */
function isInstalled() {
  const wanted = Object.entries(readJson("package-lock.json").packages);
  let present;
  try {
    // npm writes this file last: it is absent after an install that was cut short.
    present = readJson("node_modules/.package-lock.json").packages;
  } catch {
    return false;
  }
  const isRequired = ([path, entry]) => path !== "" && !entry.optional && !entry.devOptional;
  return wanted.filter(isRequired).every(([path, { version }]) => present[path]?.version === version);
}

function install() {
  const args = ["ci", "--no-audit", "--no-fund"];
  // The engine's install script would download CUDA libraries; its CPU binaries are in the package.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" };
  const options = { cwd: root, env, stdio: "inherit" };
  const npm = process.env.npm_execpath ?? "";
  // Windows cannot start npm.cmd without a shell; npm's own file runs everywhere.
  const { status, error } = /npm-cli\.c?js$/.test(npm)
    ? spawnSync(process.execPath, [npm, ...args], options)
    : spawnSync("npm", args, { ...options, shell: process.platform === "win32" });
  if (error) stop(`Temper could not start npm: ${error.message}`);
  if (status !== 0) stop("npm ci failed (see above).", status ?? 1);
}

/** Checks Node, installs and builds what is missing or out of date; ends the process when that fails. */
export function setup() {
  checkNode();
  process.chdir(root);
  if (!isInstalled()) install();
  const status = buildDist(root);
  if (status !== 0) stop("The build failed (see above).", status);
}

/** Runs the program in `file` with `args` in this process, so that signals and exit code are its own. */
export async function become(file, args) {
  const path = join(root, file);
  process.argv = [process.execPath, path, ...args];
  await import(new URL(`../${file}`, import.meta.url).href);
}
