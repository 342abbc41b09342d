// FAB, fast adaptive boundary (Croce & Hein 2020): the nearest adversarial point among all classes.
import { unit } from "../base/options.js";
import { adaptiveBoundary, adaptiveBoundarySchema } from "./adaptive-boundary.js";
import { rivalsOf } from "./nearest.js";

/** Steps to the nearest of all linearized decision boundaries, biased towards the original. */
export const fab = unit(
  "fab",
  "fast adaptive boundary: nearest point, gradients of all classes",
  adaptiveBoundarySchema,
  (options) =>
    adaptiveBoundary({
      name: "fab",
      options,
      shown: options,
      candidates: (classes) => classes - 1,
      rounds: (outlook) => [rivalsOf(outlook, 0, outlook.rivals[0]?.length ?? 0)],
    }),
);
