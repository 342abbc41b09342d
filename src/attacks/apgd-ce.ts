// Auto-PGD on the cross-entropy (Croce & Hein 2020).
import { unit } from "../base/options.js";
import { autoPgd, autoPgdSchema } from "./auto-pgd.js";
import { attackLosses } from "./losses.js";

/** Steps up the cross-entropy that find their own length. */
export const apgdCe = unit("apgd-ce", "Auto-PGD on the cross-entropy", autoPgdSchema, (options) =>
  autoPgd({ name: "apgd-ce", options, shown: options, loss: () => attackLosses["cross-entropy"] }),
);
