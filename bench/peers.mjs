// Who Temper is compared with: each is there or the table says that it is not.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Version of a package under bench/node_modules; throws where it is not installed. */
export function versionOf(name) {
  const file = join(import.meta.dirname, "node_modules", name, "package.json");
  return JSON.parse(readFileSync(file, "utf8")).version;
}

/** The two factors of the product that everybody multiplies: size × size numbers in [-0.5, 0.5). */
export const productValues = (size) =>
  Float32Array.from({ length: size * size }, (_, i) => ((i * 2654435761) % 1000) / 1000 - 0.5);

/** Opens every peer of `modules`: { peers, missing: [{ name, reason }] }. */
export async function openPeers(modules, options) {
  const [peers, missing] = [[], []];
  for (const { name, file } of modules)
    try {
      const { open } = await import(file);
      peers.push(await open(options));
    } catch (error) {
      const absent = error.code === "ERR_MODULE_NOT_FOUND";
      missing.push({ name, reason: absent ? "not installed" : error.message });
    }
  return { peers, missing };
}
