// What was promised: each claim with its limit, and where in the measurements its value is.
import { reasonFor } from "./reasons.mjs";
import { digits, percent, spreadText, table } from "./text.mjs";

const atLeast = (limit, { goal, format = digits } = {}) => ({
  text: `≥ ${format === digits ? `${limit}×` : format(limit)}${goal ? `, goal ${goal}×` : ""}`,
  format: format === digits ? (value) => `${digits(value)}×` : format,
  holds: (value) => value >= limit,
  reaches: goal === undefined ? undefined : (value) => value >= goal,
});
const atMost = (limit, format = (value) => `${digits(value)}×`) => ({
  text: `≤ ${format === percent ? percent(limit) : `${limit}×`}`,
  format,
  holds: (value) => value <= limit,
});

const rowOf = (step, key) => step?.rows.find((row) => row.key === key);

/** The step for which `of` is worst, and that value. */
function worst(steps, of, isWorse) {
  const valued = steps.map((step) => ({ step, value: of(step) })).filter(({ value }) => value !== undefined);
  return valued.reduce(
    (a, b) => (a === undefined || isWorse(b.value.median, a.value.median) ? b : a),
    undefined,
  );
}

function speedClaims(at) {
  const claims = [
    ["a10", 4],
    ["a128", 1.5],
    ["b-plain", 1, 1.2],
    ["b-fgsm", 1.1, 1.3],
    ["b-fgsm-summed", 1.3, 1.5],
    ["c", 1, 1.2],
    ["d", 1.5],
    ["e-plain", 1, 1.2],
    ["e-sgm", 1, 1.2],
    ["f", 1, 1.2],
    ["g", 1.5],
  ];
  return claims
    .filter(([id]) => at(id))
    .map(([id, limit, goal]) => [
      `(${id}) ${at(id).title}: speed of Temper / PyTorch`,
      atLeast(limit, { goal }),
      rowOf(at(id), "train")?.speed,
    ]);
}

function peerClaims(steps) {
  return [
    ["jax", "jax-js", 8],
    ["tfjs", "tfjs", 20],
  ].flatMap(([key, name, limit]) => {
    const found = worst(
      steps,
      (step) => rowOf(step, key)?.behind,
      (a, b) => a < b,
    );
    const claim = `Speed of Temper / ${name}, least of the steps that it can run`;
    return found ? [[`${claim} (${found.step.id})`, atLeast(limit), found.value]] : [];
  });
}

function shareClaims(at, steps) {
  const share = [
    ["a128", 0.8],
    ["c", 0.6],
    ["e-plain", 0.6],
    ["e-sgm", 0.6],
  ].map(([id, limit]) => [
    `(${id}) Share of the matrix product's rate`,
    atLeast(limit, { format: percent }),
    rowOf(at(id), "train")?.share,
  ]);
  const large = worst(
    steps.filter(({ kind, batch }) => kind === "train" && batch === 128),
    (step) => rowOf(step, "train")?.outside,
    (a, b) => a > b,
  );
  const outside = [
    ["(a10) Time outside `session.run`", atMost(0.05, percent), rowOf(at("a10"), "train")?.outside],
    [
      `Time outside \`session.run\`, most of the steps at batch 128 (${large?.step.id})`,
      atMost(0.03, percent),
      large?.value,
    ],
  ];
  return [...share, ...outside];
}

function methodClaims(methods) {
  const claims = [
    ["model A", "jacobian-penalty, exact", 12],
    ["model A", "jacobian-penalty, summed", 4],
    ["model C", "jacobian-penalty, exact", 12],
    ["model C", "jacobian-penalty, summed", 4],
    ["784-800-800-10", "sgm", 1.25],
    ["784-800-800-10", "sign-noise", 1.1],
    ["784-800-800-10", "adversarial-backprop", 1.85],
  ];
  return claims.map(([network, name, limit]) => [
    `${network}, ${name}: time / \`standard\``,
    atMost(limit),
    methods.find((table) => table.network === network)?.rows.find((row) => row.name === name)?.ratio,
  ]);
}

const verdict = ({ holds, reaches }, { median }) =>
  holds(median) ? (reaches?.(median) ? "holds, goal too" : "holds") : "**misses**";

/** The claims as a table, with the reasons for those that are missed; those without a measurement are left out. */
export function targetsTable({ steps, methods }) {
  const at = (id) => steps.find((step) => step.id === id);
  const claims = [
    ...speedClaims(at),
    ...peerClaims(steps),
    ...shareClaims(at, steps),
    ...methodClaims(methods),
  ];
  const measured = claims.filter(([, , value]) => value !== undefined);
  const rows = measured.map(([claim, limit, value]) => [
    claim,
    limit.text,
    spreadText(value, limit.format),
    verdict(limit, value),
  ]);
  const missed = measured
    .filter(([, { holds }, { median }]) => !holds(median))
    .map(([claim]) => `- ${claim.replace(/:.*/, "")}: ${reasonFor(claim)}`);
  const why = missed.length === 0 ? "" : `\n\n### Missed, and why\n\n${missed.join("\n")}`;
  return `${table(["claim", "target", "measured", ""], rows)}${why}`;
}
