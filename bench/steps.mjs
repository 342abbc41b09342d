// What is measured: steps in words that every peer understands.
import { networks } from "./networks.mjs";

const sgd = { name: "sgd", rate: 0.01 };
const adam = { name: "adam", rate: 1e-3 };
const wame = { name: "wame", rate: 1e-4 };

/** z = x + ε·sign ∂E/∂x takes the place of x (ABP). */
const moved = { craft: { epsilon: 0.08, doubled: false } };
/** The batch is doubled with clip(x + ε·sign ∂E/∂x) (FGSM images). */
const doubled = { craft: { epsilon: 0.3, doubled: true } };
/** + λ · mean over outputs, pixels and batch of |∂f/∂x|; summed: of |Σᵢ ∂fᵢ/∂x|, f the logits; exact: f the probabilities. */
const penalty = (form) => ({ penalty: { form, lambda: 10 } });
/** x ← x + λ̄·∂E/∂x in the same backward pass, kept for the next visit (SGM). */
const keptInputs = { inputs: { lambda: 0.2 } };

const training = (id, title, network, batch, optimizer, ...parts) => ({
  id,
  title: `${networks[network].name}, ${title}`,
  kind: "train",
  network: networks[network],
  batch,
  optimizer,
  ...Object.assign({}, ...parts),
});

const forward = (id, network, batch) => ({
  id: `h-${id}`,
  title: `${networks[network].name}, forward only`,
  kind: "forward",
  network: networks[network],
  batch,
});

/** Every image stands to the end (see `tasks.mjs`), so that all take the same number of steps. */
const attack = (iterations) => ({
  id: "g",
  title: `model A, PGD-${iterations}, 2 restarts, 1,000 images`,
  kind: "attack",
  network: networks.modelA,
  batch: 1000,
  attack: { epsilon: 0.02, stepSize: 0.0025, steps: iterations, restarts: 2 },
});

export const steps = [
  training("a10", "ABP, batch 10", "mlp", 10, { ...sgd, rate: 0.1 }, moved),
  training("a128", "ABP", "mlp", 128, { ...sgd, rate: 0.1 }, moved),
  training("b-plain", "plain", "modelA", 128, adam),
  training("b-fgsm", "with FGSM images", "modelA", 128, adam, doubled),
  training(
    "b-fgsm-summed",
    "with FGSM images and the summed penalty",
    "modelA",
    128,
    adam,
    doubled,
    penalty("summed"),
  ),
  training("b-summed", "summed penalty", "modelA", 128, adam, penalty("summed")),
  training("b-exact", "exact penalty", "modelA", 128, adam, penalty("exact")),
  training("bc-plain", "plain", "modelC", 128, adam),
  training("bc-summed", "summed penalty", "modelC", 128, adam, penalty("summed")),
  training("bc-exact", "exact penalty", "modelC", 128, adam, penalty("exact")),
  training("c", "SGM, dropout, WAME", "sgmCnn", 128, wame, keptInputs),
  training("d", "SGM, WAME", "sgmDnn", 128, wame, keptInputs),
  training("e-plain", "plain, batch 64", "allCnn", 64, sgd),
  training("e-sgm", "SGM, batch 64", "allCnn", 64, sgd, keptInputs),
  training("f", "plain, batch 64", "wrn", 64, sgd),
  attack(20),
  forward("mlp", "mlp", 128),
  forward("a", "modelA", 128),
  forward("sgm-cnn", "sgmCnn", 128),
  forward("sgm-dnn", "sgmDnn", 128),
  forward("all-cnn", "allCnn", 64),
  forward("wrn", "wrn", 64),
];

/** The steps whose names begin with one of `prefixes`; all without any. */
export const chosenSteps = (prefixes) =>
  steps.filter(({ id }) => prefixes.length === 0 || prefixes.some((prefix) => id.startsWith(prefix)));

/** What a defence would be in the words above: for Temper's side. */
export function defensesOf({ craft, penalty: penalized, inputs }) {
  return [
    ...(inputs ? [["sgm", { lambda: inputs.lambda }]] : []),
    ...(craft?.doubled ? [["fgsm-training", { epsilon: craft.epsilon }]] : []),
    ...(craft && !craft.doubled ? [["adversarial-backprop", { epsilon: craft.epsilon }]] : []),
    ...(penalized
      ? [
          [
            "jacobian-penalty",
            {
              lambda: penalized.lambda,
              form: penalized.form,
              of: penalized.form === "summed" ? "logits" : "probabilities",
              reduction: "mean",
            },
          ],
        ]
      : []),
  ];
}

const quickSteps = ["a10", "a128", "b-plain", "b-fgsm-summed", "bc-exact", "c", "d", "e-sgm", "f", "h-a"];

/** What `--quick` takes: one of each kind, and a shorter attack. */
export const shortened = (chosen) =>
  chosen.flatMap((step) =>
    step.kind === "attack" ? [attack(2)] : quickSteps.includes(step.id) ? [step] : [],
  );
