// A minimal-norm attack out of a loop and the host's side of its runs.
import type { LoopFunction } from "../onnx/export.js";
import type { Program } from "../runtime/engine.js";
import { loadLoop } from "../runtime/load.js";
import { checkTarget, guarded, type Attack, type AttackBatch, type AttackContext } from "./attack.js";
import type { AttackOptions, AttackTarget } from "./attack.js";
import { loadLogits, outlookOf, type Outlook } from "./nearest.js";

export interface NearestRun {
  readonly batch: AttackBatch;
  readonly context: AttackContext;
  readonly loop: Program;
  /** Of the originals: which rows to attack, and the classes beside the labels. */
  readonly outlook: Outlook;
}

export interface NearestAttack {
  readonly name: string;
  /** As records show them. */
  readonly options: AttackOptions;
  readonly norms: readonly string[];
  readonly loop: (target: AttackTarget) => LoopFunction;
  /** Points of the shape of the inputs; the original of each row that is not in `outlook.rows` or is not brought down. */
  readonly search: (run: NearestRun) => Promise<Float32Array>;
}

/** The attack that searches with one loop. */
export function nearestAttack({ name, options, norms, loop: graph, search }: NearestAttack): Attack {
  const attack: Attack = {
    name,
    kind: "iterative",
    nearest: true,
    options,
    norms,
    async prepare(context) {
      checkTarget(attack, context);
      const { weights } = context.classifier;
      const loop = await loadLoop(context.engine, graph(context), { weights });
      const logits = await loadLogits(context);
      return {
        perturb: guarded(attack, context, async (batch) =>
          search({ batch, context, loop, outlook: await outlookOf(logits, batch) }),
        ),
        release: async () => {
          await loop.release();
          await logits.release();
        },
      };
    },
  };
  return attack;
}
