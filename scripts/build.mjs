// `npm run build`, also before `npm pack`: an up-to-date dist/.
import { setup } from "./setup.mjs";

setup();
