// FAB, fast adaptive boundary (Croce & Hein 2020): the nearest adversarial point among all classes.
import { unit } from "../base/options.js";
import { tensor } from "../base/tensor.js";
import { adaptiveBoundary, adaptiveBoundarySchema } from "./adaptive-boundary.js";

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
      rounds: ({ rivals }) => {
        const width = rivals[0]?.length ?? 0;
        return [tensor("int32", [rivals.length, width], Int32Array.from(rivals.flatMap((row) => [...row])))];
      },
    }),
);
