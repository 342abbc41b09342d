// The npm registry that the user's npm is set to.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { NpmOrigin } from "./dataset.js";

const publicRegistry = "https://registry.npmjs.org/";

const isWebAddress = (text: string): boolean =>
  URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

async function askNpm(): Promise<string> {
  const windows = process.platform === "win32";
  const asked = promisify(execFile)(windows ? "npm.cmd" : "npm", ["config", "get", "registry"], {
    shell: windows,
    timeout: 20_000,
  });
  return asked.then(
    ({ stdout }) => stdout.trim(),
    () => "",
  );
}

/** The registry's address, ending in "/": from `npm_config_registry`, else from npm itself, else the public one. */
export async function npmRegistry(
  env: Readonly<Record<string, string | undefined>> = process.env,
  ask: () => Promise<string> = askNpm,
): Promise<string> {
  const given = env["npm_config_registry"] || (await ask());
  const address = isWebAddress(given) ? given : publicRegistry;
  return address.endsWith("/") ? address : `${address}/`;
}

/** The address of a package's tarball; every registry serves it under this form. */
export function tarballAddress(registry: string, { package: name, version }: NpmOrigin): string {
  return `${registry}${name}/-/${name.split("/").at(-1)}-${version}.tgz`;
}
