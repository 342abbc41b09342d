// `npm run bench`: installs and builds, adds the peers of bench/, then measures; arguments go to bench/main.mjs.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { become, setup } from "./setup.mjs";

const bench = fileURLToPath(new URL("../bench/", import.meta.url));

/** Whether bench/node_modules holds what its lockfile says. */
function isInstalled() {
  const packagesOf = (file) => {
    try {
      return JSON.parse(readFileSync(`${bench}${file}`, "utf8")).packages;
    } catch {
      return {};
    }
  };
  const present = packagesOf("node_modules/.package-lock.json");
  return Object.entries(packagesOf("package-lock.json")).every(
    ([path, { version }]) => path === "" || present[path]?.version === version,
  );
}

/** Installs the peers; without them the table says so. */
function installPeers() {
  const args = ["ci", "--no-audit", "--no-fund"];
  const { status } = spawnSync("npm", args, {
    cwd: bench,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (status !== 0) console.error("bench: npm ci failed (see above); its peers are left out.");
}

const args = process.argv.slice(2);
setup();
if (!isInstalled()) installPeers();
await become("bench/main.mjs", args);
