// A contender: a fresh process that takes one step at a time and is asked for its turns.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

const peers = join(import.meta.dirname, "peers");
const python = process.env.PYTHON ?? "python3";

/** The environment without what would hold a peer back: pinned kernels and other numbers of threads. */
function environment({ threads, cache }) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(OMP|MKL|GOMP|KMP|OPENBLAS)_/.test(name));
  const count = String(threads);
  return {
    ...Object.fromEntries(kept),
    OMP_NUM_THREADS: count,
    OPENBLAS_NUM_THREADS: count,
    MKL_NUM_THREADS: count,
    ...(cache && { TORCHINDUCTOR_CACHE_DIR: cache }),
  };
}

function commandOf(peer) {
  if (peer === "pytorch") return [python, [join(peers, "pytorch.py")]];
  const hook = peer === "temper" ? ["--import", join(peers, "session-clock.mjs")] : [];
  return [process.execPath, [...hook, "--no-warnings", join(peers, `${peer}.mjs`)]];
}

/** What a process said last on stderr, for a table's cell. */
const lastWords = (text) =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .at(-1)
    ?.trim()
    .slice(0, 200) ?? "its process ended";

const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** Starts `peer`; `ask` sends a command and resolves with its answer, or throws after `seconds`. */
export function startContender(peer, options) {
  const started = Date.now();
  const [command, args] = commandOf(peer);
  const child = spawn(command, args, { env: environment(options), stdio: ["pipe", "pipe", "pipe"] });
  running.add(child);
  child.on("exit", () => running.delete(child));
  let said = "";
  child.stderr.on("data", (text) => (said = `${said}${text}`.slice(-4000)));
  child.on("error", (error) => (said = error.message));
  child.stdin.on("error", () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextAnswer = async () => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(lastWords(said));
      // Libraries may print, too.
      if (!/^\{"(answer|error)":/.test(value)) continue;
      const { answer, error } = JSON.parse(value);
      if (error !== undefined) throw new Error(error);
      return answer;
    }
  };
  const close = () => child.kill("SIGKILL");
  return {
    close,
    /** When the process was started: milliseconds as of `Date.now()`. */
    started,
    async ask(question, seconds = 600) {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      const alarm = new AbortController();
      const late = pause(1000 * seconds, "late", { signal: alarm.signal }).catch(() => "stopped");
      try {
        const first = await Promise.race([nextAnswer(), late]);
        if (first !== "late") return first;
        close();
        throw new Error(`took more than ${seconds} s`);
      } finally {
        alarm.abort();
      }
    },
  };
}
