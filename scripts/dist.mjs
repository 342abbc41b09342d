// Compiles src/ into dist/ unless dist/ was already made from the same sources.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const filesUnder = (folder) =>
  readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesUnder(path) : [path];
    });

const configuration = ["tsconfig.json", "tsconfig.build.json", "package-lock.json"];

/** A hash of everything that dist/ depends on. */
function sourcesHash(root) {
  const files = [...filesUnder(join(root, "src")), ...configuration.map((name) => join(root, name))];
  const hash = createHash("sha256");
  for (const file of files) hash.update(file).update("\0").update(readFileSync(file)).update("\0");
  return hash.digest("hex");
}

/** Brings `root`/dist up to date and returns the compiler's exit status; on failure dist stays as it was. */
export function buildDist(root) {
  const dist = join(root, "dist");
  const stamp = join(dist, ".sources");
  const hash = sourcesHash(root);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return 0;

  // Built aside and moved: nobody sees half a dist, not even after Ctrl-C.
  const next = join(root, "node_modules", ".cache", "temper", String(process.pid));
  rmSync(next, { recursive: true, force: true });
  mkdirSync(next, { recursive: true });
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const args = [tsc, "-p", join(root, "tsconfig.build.json"), "--outDir", next];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) {
    rmSync(next, { recursive: true, force: true });
    return status ?? 1;
  }
  for (const file of filesUnder(next))
    if (file.endsWith(".js") && readFileSync(file).subarray(0, 2).toString() === "#!") chmodSync(file, 0o755);
  writeFileSync(join(next, ".sources"), hash);
  rmSync(dist, { recursive: true, force: true, maxRetries: 5 });
  renameSync(next, dist);
  return 0;
}
