// `npm test`: installs, builds, then runs the tests once; further arguments go to vitest.
import { become, setup } from "./setup.mjs";

const args = process.argv.slice(2);
setup();
await become("node_modules/vitest/vitest.mjs", ["run", ...args]);
