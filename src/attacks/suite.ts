// Suites: attacks one after the other, each on the rows that those before it leave standing.
import { input } from "../graph/node.js";
import { loadFunction } from "../runtime/load.js";
import { count } from "../base/shape.js";
import {
  checkTarget,
  floatsOf,
  guarded,
  type Attack,
  type AttackTarget,
  type PreparedAttack,
} from "./attack.js";
import { attackLosses } from "./losses.js";
import { judgeOf } from "./pgd-graph.js";
import { batchAt } from "./parts.js";
import { StrongestPoints, verdicts } from "./pgd-run.js";
import { putRows, range } from "./rows.js";

export interface SuiteParts extends Pick<Attack, "name" | "options" | "norms" | "leavesOut" | "untargeted"> {
  /** The attacks that make sense against `target`, in their order; at least one. */
  readonly stages: (target: AttackTarget) => readonly Attack[];
}

/** The attack that runs all stages; of a row that no stage brings down, the point of highest cross-entropy. */
export function suite({ name, options, norms, stages, leavesOut = [], untargeted }: SuiteParts): Attack {
  const attack: Attack = {
    name,
    kind: "iterative",
    options,
    norms,
    stages,
    leavesOut,
    ...(untargeted && { untargeted }),
    async prepare(context) {
      checkTarget(attack, context);
      const prepared: PreparedAttack[] = [];
      for (const stage of stages(context)) prepared.push(await stage.prepare(context));
      const graph = { loss: attackLosses["cross-entropy"], direction: input("direction", []) };
      const { weights } = context.classifier;
      const judge = await loadFunction(context.engine, judgeOf(context, graph), { weights });
      return {
        perturb: guarded(attack, context, async (batch) => {
          const width = count(batch.inputs.shape.slice(1));
          const best = new StrongestPoints(batch);
          const points = floatsOf(batch.inputs).slice();
          let rows: readonly number[] = range(batch.labels.length);
          for (const stage of prepared) {
            if (rows.length === 0) break;
            const part = batchAt(batch, rows);
            putRows(points, width, rows, await stage.perturb(part));
            if (part.passes) batch.passes?.take(rows, part.passes);
            rows = best.offer(points, rows, await verdicts(judge, { batch }, points, rows));
          }
          return best.points;
        }),
        release: async () => {
          for (const stage of prepared) await stage.release();
          await judge.release();
        },
      };
    },
  };
  return attack;
}
