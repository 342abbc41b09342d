// Standard training, and the objective that every defence ends in.
import { z } from "zod";
import { scope, type Node } from "../graph/node.js";
import { add, mul, sub } from "../ops/arithmetic.js";
import { cast, sameIndex } from "../ops/compare.js";
import { argMax } from "../ops/indexing.js";
import { mean } from "../ops/size.js";
import { defense, type Batch, type Defense, type Objective } from "./defense.js";

/** The mean of what each row has, by the rows' weights; a scalar as it is. */
const overRows = (term: Node, { weights }: Batch): Node =>
  term.shape.length === 0 ? term : mean(weights ? mul(term, weights) : term);

/** Mean loss of the batch with the model's own terms; metrics: `error`, the share of rows misread, and each term. */
export const meanLoss: Objective = (batch, context) =>
  scope("train", () => {
    const { inputs, labels } = batch;
    const terms = new Map<string, Node>();
    const grow = (name: string, term: Node): void => {
      const known = terms.get(name);
      const value = scope("loss", () => overRows(term, batch));
      terms.set(name, known ? add(known, value) : value);
    };
    const logits = context.logits(inputs, { movesStatistics: true, loss: { inputs, labels, add: grow } });
    const loss = scope("loss", () => {
      const own = overRows(context.loss(logits, batch.targets), batch);
      return [...terms.values()].reduce((total, term) => add(total, term), own);
    });
    const error = scope("error", () => {
      const right = cast(sameIndex(argMax(logits, 1), batch.labels), "float32");
      return sub(1, mean(right));
    });
    return { loss, metrics: { error, ...Object.fromEntries(terms) } };
  });

/** No defence: the mean loss on the batch as it is. */
export const standard = defense("standard", "no defence", z.strictObject({}), {}, (): Defense => ({
  wrap: (objective) => objective,
  movesInputs: false,
}));
