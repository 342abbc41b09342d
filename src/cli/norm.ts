// Norms as `--norm` takes them: written out, since help must not load what they are made of.
import type { NormName } from "../threat/find.js";

export const norms = ["linf", "l2", "l1", "l0"] as const satisfies readonly NormName[];
