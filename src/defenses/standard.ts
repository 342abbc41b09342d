// Standard training, and the objective that every defence ends in.
import { z } from "zod";
import { scope } from "../graph/node.js";
import { mul, sub } from "../ops/arithmetic.js";
import { cast, sameIndex } from "../ops/compare.js";
import { argMax } from "../ops/indexing.js";
import { mean } from "../ops/size.js";
import { defense, type Defense, type Objective } from "./defense.js";

/** Mean loss of the batch; metrics: `error`, the share of rows misread. */
export const meanLoss: Objective = (batch, context) =>
  scope("train", () => {
    const logits = context.logits(batch.inputs, { movesStatistics: true });
    const loss = scope("loss", () => {
      const losses = context.loss(logits, batch.targets);
      return mean(batch.weights ? mul(losses, batch.weights) : losses);
    });
    const error = scope("error", () => {
      const right = cast(sameIndex(argMax(logits, 1), batch.labels), "float32");
      return sub(1, mean(right));
    });
    return { loss, metrics: { error } };
  });

/** No defence: the mean loss on the batch as it is. */
export const standard = defense("standard", "no defence", z.strictObject({}), {}, (): Defense => ({
  wrap: (objective) => objective,
  movesInputs: false,
}));
