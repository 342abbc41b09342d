// `node scripts/schemas.mjs`: writes schemas/, the JSON schemas of the files that runs and audits leave behind.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setup } from "./setup.mjs";

setup();
const { jsonSchemas } = await import("../dist/experiments/schemas.js");
const folder = fileURLToPath(new URL("../schemas/", import.meta.url));
mkdirSync(folder, { recursive: true });
for (const [file, text] of Object.entries(jsonSchemas())) writeFileSync(folder + file, text);
