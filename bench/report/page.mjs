// The whole page: targets first.
import {
  absentSection,
  memorySection,
  methodsSection,
  scalingSection,
  startSection,
  stepsSection,
  timesSection,
} from "./sections.mjs";
import { targetsTable } from "./targets.mjs";
import { digits, spreadText, table, whole } from "./text.mjs";

const names = { pytorch: "PyTorch", jax: "jax-js", tfjs: "tfjs" };

function machineTable({ machine, peers, missing }) {
  const said = ({ version, how, threads }) => `${version}, ${how}, threads: ${threads}`;
  const lines = [
    ["processor", machine.processor],
    ["cores", machine.cores],
    ["memory", `${machine.memoryGiB} GiB`],
    ["system", machine.platform],
    ["Node", machine.node],
    ["Temper", machine.temper],
    ["ONNX Runtime", `${machine.onnxruntime}, threads: ${machine.cores}`],
    ...Object.entries(peers).flatMap(([peer, found]) => (names[peer] ? [[names[peer], said(found)]] : [])),
    ...missing.map(({ peer, reason }) => [names[peer] ?? peer, reason]),
  ];
  return table(["machine", ""], lines).replace("---:", "---");
}

/** The matrix product's rate over the whole run, in GFLOP/s. */
function productRate(steps) {
  const rates = steps.map(({ product }) => product);
  if (rates.length === 0) return "";
  const medians = rates.map(({ median }) => median).sort((a, b) => a - b);
  const spread = {
    median: medians[medians.length >> 1],
    min: Math.min(...rates.map(({ min }) => min)),
    max: Math.max(...rates.map(({ max }) => max)),
  };
  return ` The matrix product (2048 × 2048 × 2048 in ONNX Runtime) takes turns with every step: ${spreadText(spread, whole)} GFLOP/s.`;
}

function how({ plan, steps, minutes }) {
  return `How: for each step every contender runs in a fresh process, must give the same losses in the first three steps from the same weights
(to 0.1 %, dropout off), is warm, and then takes turns of about ${plan.milliseconds} ms with all others, ${plan.repetitions} times (the slow ones 3 times). A number is a
median with the smallest and largest beside it; a ratio is the median of the ratios within one repetition. All compute in float32.
\`train()\` shuffles, gathers, draws noise, counts and reports as it does for users; the peers go round eight batches that they hold in
memory. GFLOP/s counts the products of the step alone.${productRate(steps)} The whole run took ${digits(minutes)} minutes.${laterRuns(steps)}`;
}

/** Which steps were measured in later runs than the rest. */
function laterRuns(steps) {
  const runs = new Map();
  for (const { id, later } of steps)
    if (later) runs.set(JSON.stringify(later), [...(runs.get(JSON.stringify(later)) ?? []), id]);
  return [...runs]
    .map(([later, ids]) => {
      const { temper, minutes } = JSON.parse(later);
      const names = ids.join(", ");
      return ` Measured again in a later run of ${digits(minutes)} minutes, with Temper ${temper}: ${names}.`;
    })
    .join("");
}

const warnings = ({ quick, only }) =>
  [
    ...(quick ? ["**with `--quick`: too short to quote**"] : []),
    ...(only === "" ? [] : [`only ${only}`]),
  ].map((words) => `, ${words}`);

export function markdown(results) {
  const { plan, steps, methods, scaling, date } = results;
  const parts = [
    `# Performance

Made by \`npm run bench -- --write docs/PERFORMANCE.md\` on ${date}${warnings(plan).join("")}; not edited by hand.
`,
    `## Targets\n\n${targetsTable(results)}\n`,
    `${how(results)}\n\n${machineTable(results)}\n`,
    stepsSection(steps),
    timesSection(steps),
    absentSection(steps),
    memorySection(steps),
    startSection(steps),
    methodsSection(methods),
    scalingSection(scaling),
  ];
  return parts.filter((part) => part !== "").join("\n");
}
