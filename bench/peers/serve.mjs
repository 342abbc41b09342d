// The side of a contender that runs in a process of its own (Node): commands come in on stdin, answers leave on stdout,
// one line of JSON each. Reading blocks the thread: between its turns a contender does nothing at all.
import { readFileSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";

const chunk = Buffer.alloc(65536);
let pending = "";

/** The next command; none are left when the bench has ended. */
export function readCommand() {
  while (!pending.includes("\n")) {
    const length = readSync(0, chunk);
    if (length === 0) process.exit(0);
    pending += chunk.toString("utf8", 0, length);
  }
  const end = pending.indexOf("\n");
  const line = pending.slice(0, end);
  pending = pending.slice(end + 1);
  return JSON.parse(line);
}

export const answer = (value) => writeSync(1, `${JSON.stringify({ answer: value })}\n`);

/** Most memory this process has had so far, bytes. */
export function peakMemory() {
  try {
    return 1024 * Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))[1]);
  } catch {
    return 1024 * process.resourceUsage().maxRSS;
  }
}

/** What answers `command` at once, in every contender. */
export function answerSimple({ command }) {
  if (command === "close") process.exit(0);
  if (command === "memory") answer(peakMemory());
  else throw new Error(`no command ${command}`);
}

/** The task under `folder`, its arrays in order: { name, shape, data }. */
export function readTask(folder) {
  const task = JSON.parse(readFileSync(join(folder, "task.json"), "utf8"));
  const bytes = readFileSync(join(folder, "task.bin"));
  let offset = bytes.byteOffset;
  const arrays = task.arrays.map(({ name, shape }) => {
    const length = shape.reduce((a, b) => a * b, 1);
    const data = new (name === "labels" ? Int32Array : Float32Array)(bytes.buffer, offset, length);
    offset += 4 * length;
    return { name, shape, data };
  });
  const labels = arrays.pop().data;
  return { ...task, labels, images: arrays.pop().data, weights: arrays };
}

/** Answers commands with `handlers` (by command: what it returns is the answer) until the bench closes the process. */
export async function serve(handlers) {
  for (;;) {
    const command = readCommand();
    const handler = handlers[command.command];
    if (handler === undefined) answerSimple(command);
    else
      try {
        answer((await handler(command)) ?? null);
      } catch (error) {
        writeSync(1, `${JSON.stringify({ error: error.message })}\n`);
      }
  }
}

/** `count` losses, one after the other, and when the first was there. */
export async function collect(count, nextLoss) {
  const losses = [await nextLoss(0)];
  const first = Date.now();
  while (losses.length < count) losses.push(await nextLoss(losses.length));
  return { losses, first };
}
