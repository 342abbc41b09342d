// TypeScript of the working tree for scripts: what a build leaves out, such as the harnesses that tests share.
import { fileURLToPath } from "node:url";
import { createViteServer } from "vitest/node";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The modules at `paths`, given from the root of the repository, and `close`, to be called when done. */
export async function loadSource(...paths) {
  const server = await createViteServer({
    root,
    configFile: false,
    logLevel: "error",
    server: { middlewareMode: true, hmr: false, watch: null, ws: false },
    appType: "custom",
    optimizeDeps: { noDiscovery: true },
  });
  const modules = await Promise.all(paths.map((path) => server.ssrLoadModule(`/${path}`)));
  return { modules, close: () => server.close() };
}
