// `node bench/profiles.mjs [IDS] [--write FILE]`: where the time of the bench's steps goes, kernel by kernel.
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { environment } from "../dist/experiments/environment.js";
import { profileSubject } from "../dist/experiments/profile.js";
import { subjectFrom } from "../dist/experiments/profile-subject.js";
import { terminalProfile } from "../dist/report/index.js";
import { workerEngine } from "../dist/runtime/worker-engine.js";
import { describeMachine } from "./machine.mjs";
import { buildStep } from "./peers/temper-engine.mjs";
import { chosenSteps } from "./steps.mjs";

const width = 100;
const threads = availableParallelism();

/** The tables of one step. */
async function profileOf(task) {
  const engine = workerEngine({ threads });
  const { model, step } = buildStep(task);
  const { inputShape, classes, name } = task.network;
  const subject = subjectFrom(
    model,
    { step, batchSize: task.batch, imageShape: inputShape },
    await engine.target(),
  );
  const measured = await profileSubject(subject, classes, { engine });
  await engine.close();
  const profile = {
    schema: 1,
    kind: "temper-profile",
    recipe: task.id,
    method: task.title,
    dataset: "random images",
    model: { name, options: {} },
    optimizer: { name: task.optimizer.name, options: {} },
    environment: environment({ provider: "cpu", threads, jobs: 1 }),
    measured: new Date().toISOString(),
    ...measured,
  };
  const { step: milliseconds, kernels } = profile.times;
  const inside = `${((100 * Math.min(kernels, milliseconds)) / milliseconds).toFixed(0)} %`;
  return `## (${task.id}) ${task.title}\n\nKernels: ${inside} of the step.\n\n\`\`\`text\n${terminalProfile(profile, width, { color: false })}\n\`\`\`\n`;
}

const { values: flags, positionals } = parseArgs({
  options: { write: { type: "string" } },
  allowPositionals: true,
});
const wanted = (positionals[0] ?? "a10,b-plain,b-exact,c,d,e-plain,f").split(",");
const parts = [];
for (const task of chosenSteps(wanted)) if (task.kind === "train") parts.push(await profileOf(task));
const machine = describeMachine();
const page = `# Where the time goes

Made by \`node bench/profiles.mjs ${wanted.join(",")} --write docs/PROFILES.md\`; not edited by hand. Steps of
[PERFORMANCE.md](PERFORMANCE.md), each measured with and without ONNX Runtime's profiler in turns (\`temper profile\`
does it for a recipe); the profiler's own time is taken off. Temper ${machine.temper}, ONNX Runtime ${machine.onnxruntime},
Node ${machine.node}, ${machine.processor}, ${threads} threads, ${new Date().toISOString().slice(0, 10)}.

${parts.join("\n")}`;
console.log(page);
if (flags.write !== undefined) writeFileSync(flags.write, page);
process.exit(0);
