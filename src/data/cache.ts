// Where Temper keeps what it downloads: one folder of the user's, by the habits of the platform.
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";

export interface Surroundings {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly platform?: NodeJS.Platform;
  readonly home?: string;
}

/**
 * Temper's cache folder: `TEMPER_CACHE` where it is set; else `%LOCALAPPDATA%\temper\Cache` on Windows,
 * `~/Library/Caches/temper` on macOS, `$XDG_CACHE_HOME/temper` or `~/.cache/temper` elsewhere. It need not exist.
 */
export function cacheFolder(surroundings: Surroundings = {}): string {
  const { env = process.env, platform = process.platform, home = homedir() } = surroundings;
  const own = env["TEMPER_CACHE"];
  if (own) return resolve(own);
  if (platform === "win32")
    return join(env["LOCALAPPDATA"] || join(home, "AppData", "Local"), "temper", "Cache");
  if (platform === "darwin") return join(home, "Library", "Caches", "temper");
  const xdg = env["XDG_CACHE_HOME"];
  return join(xdg && isAbsolute(xdg) ? xdg : join(home, ".cache"), "temper");
}

/** The folder of one dataset inside the cache folder `cacheDir`: its own, or that of the dataset whose files it reads. */
export const datasetFolder = (
  { name, folder = name }: { readonly name: string; readonly folder?: string },
  cacheDir: string = cacheFolder(),
): string => join(cacheDir, "datasets", folder);
