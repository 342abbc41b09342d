// Temper's side, and the judge of both sides.
import { availableParallelism } from "node:os";
import * as temper from "../../dist/index.js";
import { createAttack } from "../../dist/attacks/create.js";
import { takeRows } from "../../dist/attacks/rows.js";
import { pixelData } from "../../dist/evaluation/data.js";
import { enforce } from "../../dist/evaluation/enforce.js";
import { evenBatches, inLanes } from "../../dist/evaluation/lanes.js";
import { openPredictor } from "../../dist/evaluation/predictor.js";
import { findThreat } from "../../dist/threat/find.js";

/** As an audit has them. */
const batchSize = 100;
export const openEngines = () =>
  Array.from({ length: availableParallelism() }, () => temper.workerEngine({ threads: 1 }));

/** The rightly classified among the first `images` test images: { x, labels, indices, shape, images }. */
export async function openImages(classifier, { test }, { images, engine }) {
  const { inputShape } = classifier.model;
  const width = inputShape.reduce((a, b) => a * b, 1);
  const first = Array.from({ length: images }, (_, i) => i);
  const all = pixelData(test.images, test.labels, width).rows(first);
  const predictor = await openPredictor(classifier, engine, 0);
  const { classes } = await predictor.predict(all, first);
  await predictor.release();
  const indices = first.filter((i) => classes[i] === test.labels[i]);
  const labels = Int32Array.from(indices, (i) => test.labels[i]);
  return {
    x: takeRows(all, width, indices),
    labels,
    indices,
    shape: [indices.length, ...inputShape],
    images,
  };
}

/** The attack on all images, and the seconds it took from compiling to the last point, by the clock and of processors. */
export async function runTemper({ attack: name, norm, epsilon = Infinity, options }, set, context) {
  const { classifier, engines, seed } = context;
  const attack = createAttack(name, options);
  const [begun, spent] = [performance.now(), process.cpuUsage()];
  const prepared = await Promise.all(
    engines.map((engine) => attack.prepare({ engine, classifier, threat: findThreat(norm) })),
  );
  const { x, labels, indices, shape } = set;
  const width = x.length / labels.length;
  const rows = evenBatches([...labels.keys()], { batchSize, lanes: prepared.length });
  const batches = rows.map((batch) => ({
    inputs: temper.floats([batch.length, ...shape.slice(1)], takeRows(x, width, batch)),
    labels: takeRows(labels, 1, batch),
    targeted: false,
    indices: batch.map((row) => indices[row]),
    epsilon,
    seed,
  }));
  const adversarial = new Float32Array(x.length);
  let offset = 0;
  for await (const points of inLanes(prepared, batches, (lane, batch) => lane.perturb(batch))) {
    adversarial.set(points, offset);
    offset += points.length;
  }
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(spent);
  await Promise.all(prepared.map((lane) => lane.release()));
  return { adversarial, seconds, processorSeconds: (user + system) / 1e6, options: attack.options };
}

/** What `adversarial` is worth: the share of all images that stand, or the median distance of the fallen and the rest. */
export async function judge({ norm, epsilon }, set, { adversarial }, { classifier, engines }) {
  const threat = findThreat(norm);
  const { x, labels, images } = set;
  const columns = x.length / labels.length;
  const limits = { epsilon: epsilon ?? Infinity, bounds: [0, 1], columns };
  const { points, outside, nonFinite } = enforce(threat, x, adversarial, limits);
  const predictor = await openPredictor(classifier, engines[0], 0);
  const { classes } = await predictor.predict(points, set.indices);
  await predictor.release();
  const standing = labels.filter((label, i) => classes[i] === label).length;
  const left = { outside: outside + nonFinite };
  if (epsilon !== undefined) return { accuracy: standing / images, ...left };
  const moved = threat.distance(
    points.map((v, i) => v - x[i]),
    columns,
  );
  const distances = [...moved].map((d, i) => (classes[i] === labels[i] ? Infinity : d)).sort((a, b) => a - b);
  return { median: distances[Math.floor(distances.length / 2)], missed: standing, ...left };
}
