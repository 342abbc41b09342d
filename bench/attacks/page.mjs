// docs/ATTACKS.md: Temper beside the references, on the same weights and images.
import { percent, table } from "../report/text.mjs";

const seconds = (value) => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} s`;
const settings = (options) =>
  Object.entries(options)
    .map(([key, value]) => `${key} ${value}`)
    .join(", ");

const figure = ({ accuracy, median }) =>
  accuracy === undefined ? (median ?? NaN).toPrecision(4) : percent(accuracy);

/** Whether both sides agree: 0.3 points of robust accuracy, 2 % of the median distance; better is no fault. */
export function agrees({ temper, reference }) {
  if (temper.accuracy !== undefined) return temper.accuracy <= reference.accuracy + 0.003 + 1e-9;
  return temper.median <= 1.02 * reference.median;
}

const line = (result) => {
  const { attack, norm, epsilon, images, temper, reference } = result;
  return [
    `${attack} ${norm}${epsilon === undefined ? "" : ` ${epsilon}`}`,
    String(images),
    figure(temper),
    figure(reference),
    agrees(result) ? "yes" : "**no**",
    seconds(temper.seconds),
    seconds(reference.seconds),
    `${(reference.seconds / temper.seconds).toFixed(1)}×`,
  ];
};

const header = [
  "attack, norm, ε",
  "images",
  "Temper",
  "reference",
  "agree",
  "Temper takes",
  "reference takes",
  "faster",
];

const options = (results) =>
  results
    .filter((r, i) => results.findIndex((other) => other.row === r.row) === i)
    .map(({ attack, norm, epsilon, temper, reference }) => {
      const name = `${attack} ${norm}${epsilon === undefined ? "" : ` ${epsilon}`}`;
      const theirs = `${reference.package}, ${reference.attack} (${settings(reference.options) || "its own"})`;
      return `- **${name}**: Temper (${settings(temper.options) || "no options"}); ${theirs}`;
    })
    .join("\n");

const section = ({ name, title }, results) => {
  const own = results.filter(({ model }) => model.name === name);
  if (own.length === 0) return "";
  const { sha256 } = own[0].model;
  return `## ${title}\n\nWeights ${sha256.slice(0, 12)}.\n\n${table(header, own.map(line))}\n`;
};

/** How busy the machine was with other work before each row: seconds taken beside it say little. */
function loads(results) {
  const known = results.flatMap(({ load }) => (load === undefined ? [] : [load]));
  const range =
    known.length === 0 ? "" : `${Math.min(...known).toFixed(1)} to ${Math.max(...known).toFixed(1)}`;
  const unknown = results.length - known.length;
  const others =
    unknown === 0
      ? ""
      : `not recorded for ${unknown} of ${results.length} rows, which shared the machine with other work`;
  return [range, others].filter((text) => text !== "").join("; ");
}

const unique = (values) => [...new Set(values)].join("; ");

/** The page of `results`, one for each row and model. */
export const markdown = (results, models) => `# Attacks beside published ones

Robust accuracy (fixed ε) or the median distance to the nearest adversarial point (no ε), of Temper's attacks and of
published implementations, on the same weights and the same test images of MNIST, both sides judged by Temper. Images
that are classified wrongly before any attack count as fallen. Written by \`node bench/attacks/main.mjs\`.

Agreement: robust accuracy at most 0.3 points above the reference's, median distance at most 2 % above it.

Seconds are for all images, Temper's with compilation: ${unique(results.map(({ machine }) => `${machine.processor}, ${machine.cores} cores`))};
measured ${unique(results.map(({ date }) => date))} with Temper ${unique(results.map(({ machine }) => machine.temper))}, Node ${unique(results.map(({ machine }) => machine.node))},
ONNX Runtime ${unique(results.map(({ machine }) => machine.onnxruntime))}, PyTorch ${unique(results.map(({ reference }) => reference.torch))}. Temper runs one engine of one thread on each core, 100 images a
batch; PyTorch runs on all cores, 250 images a batch. Load of the machine before the rows: ${loads(results)}. Above 1 the
seconds of the two sides are not to be compared: threads that wait for each other suffer most.

${models
  .map((model) => section(model, results))
  .filter((text) => text !== "")
  .join("\n")}
## Options

${options(results)}
`;
