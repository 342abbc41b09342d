// What the peers in JavaScript share.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Version of a package under bench/node_modules; throws where it is not installed. */
export function versionOf(name) {
  const file = join(import.meta.dirname, "..", "node_modules", name, "package.json");
  return JSON.parse(readFileSync(file, "utf8")).version;
}

/** Of the images under attack these peers take only so many: all would take minutes. */
const attacked = 128;

/** The task's batches in order: { inputs, labels }. */
export function batchesOf({ images, labels, network: { inputShape }, kind, ...task }) {
  const pixels = inputShape.reduce((a, b) => a * b, 1);
  const [batch, batches] = kind === "attack" ? [attacked, 1] : [task.batch, task.batches];
  return Array.from({ length: batches }, (_, i) => ({
    inputs: images.slice(i * batch * pixels, (i + 1) * batch * pixels),
    labels: labels.slice(i * batch, (i + 1) * batch),
  }));
}

/** By what a peer's time for its batch is multiplied to be that of the task's. */
export const scaleOf = ({ kind, batch }) => (kind === "attack" ? batch / attacked : 1);
