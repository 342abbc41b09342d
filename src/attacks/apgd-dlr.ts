// Auto-PGD on the difference of logits ratio (Croce & Hein 2020); it needs three classes.
import { unit } from "../base/options.js";
import { autoPgd, autoPgdSchema } from "./auto-pgd.js";
import { attackLosses } from "./losses.js";

/** Steps up the difference of logits ratio that find their own length; it says how to leave a class, not to reach one. */
export const apgdDlr = unit(
  "apgd-dlr",
  "Auto-PGD on the difference of logits ratio",
  autoPgdSchema,
  (options) =>
    autoPgd({ name: "apgd-dlr", options, shown: options, untargeted: true, loss: () => attackLosses.dlr }),
);
