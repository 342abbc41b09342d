// docs/ATTACKS.md: Temper beside the references, on the same weights and images.
import { percent, table } from "../report/text.mjs";

const seconds = (value) => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} s`;
const settings = (options) =>
  Object.entries(options)
    .map(([key, value]) => `${key} ${value}`)
    .join(", ");

const text = (value, { accuracy }) =>
  accuracy === undefined ? (value ?? NaN).toPrecision(4) : percent(value);

/** The figure of one side; of several seeds the mean, and between which it lay. */
function figure(side) {
  const { accuracy, median, runs = [] } = side;
  const own = text(accuracy ?? median, side);
  if (runs.length < 2) return own;
  return `${own} (${[Math.min(...runs), Math.max(...runs)].map((run) => text(run, side)).join(" to ")})`;
}

/** Share of the machine that other work may take where seconds by the clock are to count. */
const quiet = 0.15;
const isQuiet = ({ temper, reference }) => temper.others <= quiet && reference.others <= quiet;

/** Whether its seconds of processors count: threads of PyTorch that wait for each other beside other work spend them too. */
const isBusyAlone = (result) =>
  result.temper.processorSeconds !== undefined &&
  result.reference.processorSeconds !== undefined &&
  (result.reference.threads === 1 || isQuiet(result));

/** Whether both sides agree: 0.3 points of robust accuracy, 2 % of the median distance; better is no fault. */
export function agrees({ temper, reference }) {
  if (temper.accuracy !== undefined) return temper.accuracy <= reference.accuracy + 0.003 + 1e-9;
  return temper.median <= 1.02 * reference.median;
}

const ratio = (ours, theirs) => `${(theirs / ours).toFixed(1)}×`;

/** Seconds of both sides and their ratio, where they are known. */
const taken = (ours, theirs, known) =>
  known ? [seconds(ours), seconds(theirs), ratio(ours, theirs)] : ["·", "·", "·"];

const nameOf = ({ attack, variant, norm, epsilon }) =>
  [attack, variant, norm, epsilon].filter((part) => part !== undefined).join(" ");

const line = (result) => {
  const { images, seeds = 1, temper, reference } = result;
  const [ours, theirs] = [temper.processorSeconds, reference.processorSeconds];
  return [
    nameOf(result),
    seeds > 1 ? `${images}, ${seeds} seeds` : String(images),
    figure(temper),
    figure(reference),
    agrees(result) ? "yes" : "**no**",
    ...taken(ours, theirs, isBusyAlone(result)),
    ...taken(temper.seconds, reference.seconds, isQuiet(result)),
  ];
};

const header = [
  "attack, norm, ε",
  "images",
  "Temper",
  "reference",
  "agree",
  "Temper, processor",
  "reference, processor",
  "less",
  "Temper, clock",
  "reference, clock",
  "faster",
];

const options = (results) =>
  results
    .filter((r, i) => results.findIndex((other) => other.row === r.row) === i)
    .map((result) => {
      const { temper, reference } = result;
      const threads = reference.threads === undefined ? "" : `, threads ${reference.threads}`;
      const theirs = `${reference.package}, ${reference.attack} (${settings(reference.options) || "its own"}${threads})`;
      return `- **${nameOf(result)}**: Temper (${settings(temper.options) || "no options"}); ${theirs}`;
    })
    .join("\n");

const section = ({ name, title }, results) => {
  const own = results.filter(({ model }) => model.name === name);
  if (own.length === 0) return "";
  const { sha256 } = own[0].model;
  return `## ${title}\n\nWeights ${sha256.slice(0, 12)}.\n\n${table(header, own.map(line))}\n`;
};

const unique = (values) => [...new Set(values)].join("; ");

/** The page of `results`, one for each row and model. */
export const markdown = (results, models) => `# Attacks beside published ones

Robust accuracy (fixed ε) or the median distance to the nearest adversarial point (no ε), of Temper's attacks and of
published implementations, on the same weights and the same test images of MNIST, both sides judged by Temper. Images
that are classified wrongly before any attack count as fallen. AutoAttack runs its stages one after another, each on the
images that those before it left standing: wherever Temper shows a stage (\`AutoAttack: FAB-T\`), its figure is what that
stage and those before it leave together, and the last one's is AutoAttack's. Written by \`node bench/attacks/main.mjs\`.

Agreement: robust accuracy at most 0.3 points above the reference's, median distance at most 2 % above it; where
several seeds were run on both sides, of the means, with the least and the largest behind them. Two runs of one
published attack with different seeds are often further apart than that, above all where few images were taken.

Seconds are for all images of one seed, Temper's with compilation: ${unique(results.map(({ machine }) => `${machine.processor}, ${machine.cores} cores`))};
measured ${unique(results.map(({ date }) => date))} with Temper ${unique(results.map(({ machine }) => machine.temper))}, Node ${unique(results.map(({ machine }) => machine.node))},
ONNX Runtime ${unique(results.map(({ machine }) => machine.onnxruntime))}, PyTorch ${unique(results.map(({ reference }) => reference.torch))}. Temper runs one engine of one thread on each core, 100 images a
batch; PyTorch takes 250 images a batch on as many threads as the options below say. Seconds of processors are those of both
cores together; other work on the machine lengthens them a little. Seconds by the clock are given only where other work
took no more than ${percent(quiet)} of the machine during either side, what that side left idle included; those of processors there,
and where PyTorch ran on one thread, since several spend time on waiting for each other. A dot stands for what was not
measured so.

${models
  .map((model) => section(model, results))
  .filter((text) => text !== "")
  .join("\n")}
## Options

${options(results)}
`;
