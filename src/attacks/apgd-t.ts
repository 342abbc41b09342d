// Auto-PGD on the targeted difference of logits ratio, one class after another (Croce & Hein 2020, AutoAttack); it
// needs four classes.
import { z } from "zod";
import { unit } from "../base/options.js";
import { autoPgd, autoPgdSchema } from "./auto-pgd.js";
import { targetedDlr } from "./losses.js";

const schema = autoPgdSchema.extend({
  targets: z.int().min(1).default(9).describe("classes to aim at, by falling logits of the original"),
});

/** Runs towards each of the classes that come closest; targets of a batch's own are refused. */
export const apgdT = unit(
  "apgd-t",
  "Auto-PGD towards one class after another",
  schema,
  ({ targets, ...options }) =>
    autoPgd({
      name: "apgd-t",
      options,
      shown: { ...options, targets },
      untargeted: true,
      loss: targetedDlr,
      targets,
    }),
);
