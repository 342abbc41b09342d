// FAB-T, targeted fast adaptive boundary (Croce & Hein 2020, AutoAttack): one class after another, one gradient each.
import { z } from "zod";
import { unit } from "../base/options.js";
import { adaptiveBoundary, adaptiveBoundarySchema } from "./adaptive-boundary.js";
import { rivalsOf } from "./nearest.js";
import { range } from "./rows.js";

const schema = adaptiveBoundarySchema.extend({
  targets: z.int().min(1).default(9).describe("classes to try, by falling logits of the original"),
});

/** A run towards each of the classes that come closest; towards a given class one run, from its strongest rival. */
export const fabT = unit(
  "fab-t",
  "fast adaptive boundary, one target class after another",
  schema,
  ({ targets, ...options }) =>
    adaptiveBoundary({
      name: "fab-t",
      options,
      shown: { ...options, targets },
      candidates: () => 1,
      rounds: (outlook, { targeted }) =>
        range(targeted ? 1 : Math.min(targets, outlook.rivals[0]?.length ?? 0)).map((rank) =>
          rivalsOf(outlook, rank, rank + 1),
        ),
    }),
);
