#!/usr/bin/env node
// The program `temper`; importing it runs it.
import { processIo } from "./io.js";
import { runCli } from "./program.js";

for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // Whoever reads has had enough: `temper list | head`.
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });

process.exitCode = await runCli(process.argv.slice(2), processIo);
