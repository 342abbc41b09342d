#!/usr/bin/env node
// The program `temper`; importing it runs it.
import { processIo } from "./io.js";
import { runCli } from "./program.js";

// Whoever reads may have had enough: `temper run … 2>&1 | head`. The work goes on to its end without being heard, and
// the exit code says how that went.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });

process.exitCode = await runCli(process.argv.slice(2), processIo);
