// The peer PyTorch, in a Python process of its own (torch_step.py): PYTHON names the executable.
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { productValues } from "./peers.mjs";

const python = process.env.PYTHON ?? "python3";

/** The environment without what would hold PyTorch back: pinned kernels and other numbers of threads. */
function environment(threads) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(OMP|MKL|GOMP|KMP|OPENBLAS)_/.test(name));
  return {
    ...Object.fromEntries(kept),
    OMP_NUM_THREADS: String(threads),
    OPENBLAS_NUM_THREADS: String(threads),
    MKL_NUM_THREADS: String(threads),
  };
}

/** Debian's libblas3 is the textbook's loops, fifty times slower than what anyone would use: not a fair peer. */
const isReferenceBlas = (file) => /\/blas\/libblas\.so/.test(file);

export async function open({ threads }) {
  const env = environment(threads);
  if (spawnSync(python, ["-c", "import torch"], { env, stdio: "ignore" }).status !== 0)
    throw new Error("not installed");
  const child = spawn(python, [join(import.meta.dirname, "torch_step.py")], {
    env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  /** Sends a command and the arrays that belong to it; resolves with the answer. */
  const ask = async (command, ...arrays) => {
    child.stdin.write(`${JSON.stringify(command)}\n`);
    for (const { buffer, byteOffset, byteLength } of arrays)
      child.stdin.write(Buffer.from(buffer, byteOffset, byteLength));
    const { value, done } = await lines.next();
    if (done) throw new Error("PyTorch's process ended (see above)");
    return JSON.parse(value);
  };
  const { version, threads: taken, blas } = await ask({ command: "describe", threads });
  if (isReferenceBlas(blas)) {
    child.kill();
    throw new Error("not timed: it multiplies with the reference BLAS here (install libopenblas0-pthread)");
  }
  const drop = () => ask({ command: "drop" });
  return {
    name: "PyTorch",
    version,
    threads: taken,
    how: `eager, ${blas.split("/").slice(-2).join("/")}`,
    load: async ({ layers, inputs, labels, split: _, ...task }) => {
      const values = layers.flatMap(({ weight, bias }) => [weight, bias]);
      await ask({ command: "load", ...task }, ...values, inputs, labels);
      return {
        losses: (count) => ask({ command: "losses", count }),
        steps: (count) => ask({ command: "steps", count }),
        close: drop,
      };
    },
    product: async (size) => {
      await ask({ command: "product", size }, productValues(size), productValues(size));
      return { steps: (count) => ask({ command: "products", count }), close: drop };
    },
    close: () => child.stdin.end(),
  };
}
