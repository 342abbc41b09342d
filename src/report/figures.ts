// All figures of a run, in the order of the report.
import type { RunRecord } from "../experiments/run-record.js";
import { accuracyAgainstEpsilon } from "./accuracy.js";
import { contrast } from "./contrast.js";
import { errorCurves } from "./error-curves.js";
import { features } from "./features.js";
import type { Figure } from "./figure.js";
import { gallery } from "./gallery.js";
import { hiddenActivations } from "./hidden-activations.js";
import { icicle } from "./icicle.js";
import { inputUpdates } from "./input-updates.js";
import { measuredErrors } from "./measured-errors.js";

/** The figures that `record` has the data for. */
export async function figuresOf(record: RunRecord): Promise<Figure[]> {
  const makers = [
    accuracyAgainstEpsilon,
    measuredErrors,
    errorCurves,
    gallery,
    contrast,
    features,
    hiddenActivations,
    inputUpdates,
  ];
  const figures = await Promise.all(makers.map((make) => make(record)));
  return [...figures.filter((figure) => figure !== null), ...record.profiles.map(icicle)];
}
