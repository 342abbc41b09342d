// Measurements as tables: ratios first, then times.
import {
  cell,
  digits,
  duration,
  mebibytes,
  medianText,
  percent,
  section,
  spreadText,
  table,
  whole,
} from "./text.mjs";

const contenders = [
  ["train", "Temper"],
  ["engine", "engine alone"],
  ["eager", "PyTorch eager"],
  ["compile", "torch.compile"],
  ["channels_last", "PyTorch channels_last"],
  ["jax", "jax-js"],
  ["tfjs", "tfjs"],
];

/** The contenders that took part in some step. */
const present = (steps) =>
  contenders.filter(([key]) => steps.some(({ rows }) => rows.some((row) => row.key === key)));

const rowOf = ({ rows }, key) => rows.find((row) => row.key === key);

export function stepsSection(steps) {
  const header = [
    "",
    "speed, PyTorch = 1",
    "× jax-js",
    "× tfjs",
    "images/s",
    "GFLOP/s",
    "of the product's rate",
    "outside `session.run`",
    "peak memory, MiB",
    "PyTorch's",
  ];
  const lines = steps.map((step) => {
    const ours = rowOf(step, "train");
    const behind = (key) => medianText(rowOf(step, key)?.behind);
    return [
      `(${step.id}) ${step.title}`,
      spreadText(ours.speed),
      behind("jax"),
      behind("tfjs"),
      whole(ours.imagesPerSecond),
      medianText(ours.gigaflops, whole),
      medianText(ours.share, percent),
      medianText(ours.outside, percent),
      mebibytes(ours.memory),
      cell(rowOf(step, step.pytorch)?.memory, mebibytes),
    ];
  });
  const words = `Temper is \`train()\` (for attacks \`evaluate()\`, forward the predictor) with the worker engine. PyTorch's 1 is the faster
of eager and \`torch.compile\`, its memory too.`;
  return section("Steps", steps, `${table(header, lines)}\n\n${words}`);
}

export function timesSection(steps) {
  const columns = present(steps);
  const lines = steps.map((step) => [
    step.id,
    ...columns.map(([key]) => {
      const text = spreadText(rowOf(step, key)?.milliseconds, duration);
      return key === step.pytorch ? `**${text}**` : text;
    }),
  ]);
  const words = "Milliseconds a step (s: seconds); in bold the PyTorch that Temper is held against.";
  return section("Times", steps, `${words}\n\n${table(["", ...columns.map(([, name]) => name)], lines)}`);
}

export function memorySection(steps) {
  const columns = present(steps);
  const lines = steps.map((step) => [
    step.id,
    ...columns.map(([key]) => cell(rowOf(step, key)?.memory, mebibytes)),
  ]);
  const words =
    "Peak memory in MiB of a fresh process that took this step and nothing else, its runtime included.";
  return section("Memory", steps, `${words}\n\n${table(["", ...columns.map(([, name]) => name)], lines)}`);
}

/** Who could not take which step, and why: one row for each peer and reason. */
export function absentSection(steps) {
  const groups = new Map();
  for (const { id, absent } of steps)
    for (const { key, reason } of absent) {
      const name = `${key}|${reason}`;
      groups.set(name, [...(groups.get(name) ?? []), id]);
    }
  const titles = new Map(contenders);
  const lines = [...groups].map(([name, ids]) => {
    const [key, ...reason] = name.split("|");
    return [titles.get(key), ids.join(", "), reason.join("|")];
  });
  return section("Not run", lines, table(["", "steps", "why"], lines).replaceAll("---:", "---"));
}

export function startSection(steps) {
  const trained = steps.filter(({ kind }) => kind === "train");
  const peers = present(trained).filter(([key]) => key !== "train");
  const lines = trained.map((step) => {
    const { imported, graph, export: exported, session } = rowOf(step, "engine").start;
    return [
      step.id,
      ...peers.map(([key]) => cell(rowOf(step, key)?.start.firstLoss, whole)),
      ...[imported, graph, exported, session].map((time) => cell(time, whole)),
    ];
  });
  const names = peers.map(([key, name]) => (key === "engine" ? "Temper" : name));
  const header = ["ms", ...names, "import", "graph", "export", "session"];
  const words = `From the start of the process to the loss of the first step (without dropout); the last four columns are Temper's parts of
it: everything imported, graph built and differentiated, ONNX file written, session created. Kernels of \`torch.compile\` are compiled anew.`;
  return section("Start", trained, `${words}\n\n${table(header, lines)}`);
}

export function methodsSection(methods) {
  const header = ["", "time / `standard`", "arithmetic alone", "ms a step", "peak memory, MiB"];
  const parts = methods.map(({ network, batch, rows }) => {
    const lines = rows.map((row) => [
      `\`${row.name}\``,
      spreadText(row.ratio),
      digits(row.arithmetic),
      spreadText(row.milliseconds),
      mebibytes(row.memory),
    ]);
    return `### ${network}, batch ${batch}\n\n${table(header, lines)}`;
  });
  const words =
    "`train()` with each defence's defaults, SGD; \"arithmetic alone\" is the ratio of the products' multiplications.";
  return section("Method overheads", methods, `${words}\n\n${parts.join("\n\n")}`);
}

export function scalingSection({ points, epochs }) {
  const groups = [...new Set(points.map(({ group }) => group))];
  const header = ["", "speed, eager PyTorch = 1", "ms a step", "images/s", "GFLOP/s"];
  const parts = groups.map((group) => {
    const lines = points
      .filter((point) => point.group === group)
      .map((point) => [
        point.value,
        spreadText(point.speed),
        spreadText(point.milliseconds),
        whole(point.imagesPerSecond),
        medianText(point.gigaflops, whole),
      ]);
    return `### ${group}\n\n${table(header, lines)}`;
  });
  const lines = epochs.map(({ title, images, seconds, memory }) => [
    title,
    whole(images),
    spreadText(seconds),
    mebibytes(memory),
  ]);
  const sizes = `### Dataset size\n\n${table(["`train()`", "images", "seconds an epoch", "peak memory, MiB"], lines)}`;
  const words = "Temper's engine alone beside eager PyTorch.";
  return section("Scaling", points, `${words}\n\n${[...parts, sizes].join("\n\n")}`);
}
