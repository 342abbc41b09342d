// Who takes part: Temper in two forms, PyTorch in three, jax-js, tfjs.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startContender } from "./contender.mjs";
import { isConvolutional } from "./networks.mjs";

const everybody = [
  { key: "train", peer: "temper", form: "train", title: "Temper" },
  { key: "engine", peer: "temper", form: "engine", title: "Temper, engine alone" },
  { key: "eager", peer: "pytorch", form: "eager", title: "PyTorch, eager" },
  { key: "compile", peer: "pytorch", form: "compile", title: "PyTorch, torch.compile" },
  { key: "channels_last", peer: "pytorch", form: "channels_last", title: "PyTorch, channels_last" },
  { key: "jax", peer: "jax", form: "jax", title: "jax-js" },
  { key: "tfjs", peer: "tfjs", form: "tfjs", title: "tfjs" },
];

/** Who steps on `network`: channels_last means something where there are images in between. */
export const fieldOf = (network, { forms }) =>
  everybody.filter(
    ({ key }) => forms.includes(key) && (key !== "channels_last" || isConvolutional(network.layers)),
  );

/** A folder of this run for tasks and PyTorch's compiled kernels: they are compiled anew. */
export function openWorkshop() {
  const folder = mkdtempSync(join(tmpdir(), "temper-bench-"));
  return {
    folder,
    cache: join(folder, "inductor"),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Debian's libblas3 is the textbook's loops, fifty times slower than what anyone would use: not a fair peer. */
const isReferenceBlas = (file) => file !== undefined && /^blas\/libblas\.so/.test(file);

/** What each peer says of itself: { found: { peer: description }, missing: [{ peer, reason }] }. */
export async function describePeers({ threads, workshop }) {
  const [found, missing] = [{}, []];
  for (const peer of ["temper", "pytorch", "jax", "tfjs"]) {
    const contender = startContender(peer, { threads, cache: workshop.cache });
    try {
      const description = await contender.ask({ command: "describe", threads }, 60);
      if (isReferenceBlas(description.blas))
        throw new Error("it multiplies with the reference BLAS here (install libopenblas0-pthread)");
      found[peer] = description;
    } catch (error) {
      const absent = /Cannot find (package|module)|No module named|ENOENT|its process ended/.test(
        error.message,
      );
      missing.push({ peer, reason: absent ? "not installed" : error.message });
    }
    contender.close();
  }
  return { found, missing };
}
