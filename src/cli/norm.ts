// `--norm`: norms are written out, since help must not load what they are made of.
import { Option } from "@commander-js/extra-typings";
import type { NormName } from "../threat/find.js";

export const norms = ["linf", "l2", "l1", "l0"] as const satisfies readonly NormName[];

export const normOption = new Option("--norm <name>", "norm of the ball; l0 counts input elements")
  .choices(norms)
  .default("linf" as const);
