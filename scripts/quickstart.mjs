// `npm run quickstart`: installs, builds, then runs recipes/quickstart.yaml; further arguments go to `temper run`.
import { become, setup } from "./setup.mjs";

const args = process.argv.slice(2);
setup();
await become("dist/cli/main.js", ["run", "recipes/quickstart.yaml", ...args]);
