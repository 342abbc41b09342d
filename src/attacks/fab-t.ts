// FAB-T, targeted fast adaptive boundary (Croce & Hein 2020, AutoAttack): one class after another, one gradient each.
import { z } from "zod";
import { unit } from "../base/options.js";
import { range } from "./rows.js";
import { tensor } from "../base/tensor.js";
import { adaptiveBoundary, adaptiveBoundarySchema } from "./adaptive-boundary.js";

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
      rounds: ({ rivals }, { targeted }) =>
        range(targeted ? 1 : Math.min(targets, rivals[0]?.length ?? 0)).map((rank) =>
          tensor(
            "int32",
            [rivals.length, 1],
            Int32Array.from(rivals, (row) => row[rank] ?? 0),
          ),
        ),
    }),
);
