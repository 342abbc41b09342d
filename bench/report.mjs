// Measurements as Markdown: targets first, then what was measured, ratios before times.
const digits = (value) =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
const percent = (value) => `${(100 * value).toFixed(1)} %`;
const whole = (value) => Math.round(value).toLocaleString("en");

/** `1.23 (1.20–1.31)`. */
const spreadText = ({ median, min, max }, format = digits) =>
  `${format(median)} (${format(min)}–${format(max)})`;

function table(header, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rule = header.map((_, i) => (i === 0 ? "---" : "---:"));
  return [header, rule, ...rows].map(line).join("\n");
}

const missingRows = (missing, width) =>
  missing.map(({ name, reason }) => [name, reason, ...new Array(width - 2).fill("")]);

const nameOf = ({ name, version }) => (version === undefined ? name : `${name} ${version}`);

const atMost = (limit) => ({ text: `≤ ${limit}`, holds: (value) => value <= limit });
const share = (limit) => ({ text: `≤ ${limit * 100} %`, holds: (value) => value <= limit, format: percent });
const atLeast = (limit) => ({ text: `≥ ${limit}`, holds: (value) => value >= limit });

/** What was promised: a claim, its limit, and where in the measurements its value is (undefined: not measured). */
function claims({ steps, methods }) {
  const at = (batch) => steps.find((step) => step.batch === batch);
  const peer = (batch, name) => at(batch)?.rows.find((row) => row.name === name)?.ratio;
  const method = (name) => methods.rows.find((row) => row.name === name)?.ratio;
  return [
    ["ABP step, batch 128: time of jax-js / Temper", atLeast(11), peer(128, "jax-js")],
    ["ABP step, batch 128: time of PyTorch / Temper", atLeast(3), peer(128, "PyTorch")],
    ["ABP step, batch 10: time of jax-js / Temper", atLeast(12), peer(10, "jax-js")],
    ["ABP step, batch 10: time of PyTorch / Temper", atLeast(6), peer(10, "PyTorch")],
    ["Loader, noise and bookkeeping, batch 128", share(0.03), at(128)?.outside],
    ["Loader, noise and bookkeeping, batch 10", share(0.05), at(10)?.outside],
    ["`sgm` / `standard`, batch 128", atMost(1.25), method("sgm")],
    ["`sign-noise` / `standard`, batch 128", atMost(1.1), method("sign-noise")],
    ["`adversarial-backprop` / `standard`, batch 128", atMost(1.85), method("adversarial-backprop")],
  ];
}

function claimsTable(results) {
  const rows = claims(results).map(([claim, { text, holds, format }, value]) =>
    value === undefined
      ? [claim, text, "not measured", "–"]
      : [claim, text, spreadText(value, format), holds(value.median) ? "yes" : "**no**"],
  );
  return table(["claim", "target", "measured", "holds"], rows);
}

function stepSection({ network, batch, rows, product, outside, host, waiting, stepsPerRun }, missing) {
  const header = [
    "",
    "time / Temper's",
    "ms a step",
    "images/s",
    "GFLOP/s",
    "of the product's rate",
    "threads",
  ];
  const lines = rows.map((row) => [
    nameOf(row),
    spreadText(row.ratio),
    spreadText(row.milliseconds),
    whole(row.imagesPerSecond),
    whole(row.gigaflops),
    row.name.startsWith("Temper") ? percent(row.share) : "",
    row.threads,
  ]);
  return `## ABP step, ${network}, batch ${batch}

${table(header, [...lines, ...missingRows(missing, header.length)])}

The engine takes ${stepsPerRun} steps a run. \`train()\` takes ${spreadText(outside, percent)} of its time above the engine alone. With an
engine that does nothing, what is left of it – loader, noise and bookkeeping – takes ${spreadText(host, percent)} of a step's time, most of it
while a run is under way; ${spreadText(waiting, percent)} passes between runs. The product's rate here: ${spreadText(product, whole)} GFLOP/s.`;
}

function methodsSection({ network, batch, rows }) {
  const header = [
    "",
    "time / `standard`",
    "engine alone",
    "arithmetic alone",
    "ms a step",
    "images/s",
    "GFLOP/s",
    "of the product's rate",
    "above the engine alone",
    "host's work alone",
  ];
  const lines = rows.map((row) => [
    `\`${row.name}\``,
    spreadText(row.ratio),
    spreadText(row.engine.ratio),
    digits(row.arithmetic),
    spreadText(row.milliseconds),
    whole(row.imagesPerSecond),
    whole(row.gigaflops),
    percent(row.share),
    spreadText(row.outside, percent),
    spreadText(row.host, percent),
  ]);
  return `## Methods, ${network}, batch ${batch}\n\n${table(header, lines)}`;
}

function productsSection({ size, rows }, missing) {
  const header = [`${size} × ${size} × ${size}`, "time / ONNX Runtime's", "GFLOP/s", "ms", "threads"];
  const lines = rows.map((row) => [
    nameOf(row),
    spreadText(row.ratio),
    whole(row.gigaflops),
    spreadText(row.milliseconds),
    row.threads,
  ]);
  return `## Matrix product\n\n${table(header, [...lines, ...missingRows(missing, header.length)])}`;
}

function machineTable({ machine, peers, missing }) {
  const lines = [
    ["processor", machine.processor],
    ["cores", machine.cores],
    ["memory", `${machine.memoryGiB} GiB`],
    ["system", machine.platform],
    ["Node", machine.node],
    ["Temper", machine.temper],
    ["ONNX Runtime", machine.onnxruntime],
    ...peers.map(({ name, version, how, threads }) => [name, `${version}, ${how}, threads: ${threads}`]),
    ...missing.map(({ name, reason }) => [name, reason]),
  ];
  return table(["machine", ""], lines).replace("---:", "---");
}

const quickWarning = ", **with `--quick`: too short to quote**";

/** The whole page. */
export function markdown(results) {
  const { plan, missing, steps, methods, products, date } = results;
  return `# Performance

Made by \`npm run bench -- --write docs/PERFORMANCE.md\` on ${date}${plan.quick ? quickWarning : ""}; not edited by hand.

${machineTable(results)}

How: everybody takes a turn of about ${plan.milliseconds} ms or, for \`train()\`, of one epoch of ${whole(plan.images)} synthetic
images; then everybody again, ${plan.repetitions} times. A number is a median, with the smallest and the largest beside it; a ratio is the median of the ratios within one
repetition. All compute in float32, are warm before the first turn and are waited for before the clock stops. The peers hold
their batches in memory, while \`train()\` shuffles, gathers, counts and reports as it does for users. Before anything is timed, all
must give the same losses in the first three steps from the same weights (to 0.001).
GFLOP/s counts the products of the step alone; the product's rate is that of one 2048 × 2048 × 2048 \`MatMul\` in ONNX Runtime that took turns with
the rest.

## Targets

${claimsTable(results)}

${steps.map((step) => stepSection(step, missing)).join("\n\n")}

${methodsSection(methods)}

"Engine alone" and "arithmetic alone" are the same ratio for the engine's runs and for the multiplications of the products; the last two columns are
shares of \`train()\`'s time.

${productsSection(products, missing)}
`;
}
