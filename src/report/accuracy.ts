// Figure: accuracy against the radius, one panel per attack, one line per method; for audits one line per attack.
import type { AuditFile } from "../experiments/records.js";
import type { RunRecord } from "../experiments/run-record.js";
import { around, legend, lineChart, type Point, type Series } from "./chart.js";
import type { Figure, Panel } from "./figure.js";
import { caseTitle, casesOf, methodsOf } from "./methods.js";
import {
  attackGroups,
  groupBy,
  recordsAt,
  tableOf,
  withoutRepeats,
  type AttackGroup,
  type Cell,
} from "./table.js";
import { epsilonText, normText, unitText } from "./text.js";

const pointOf = (x: number, { mean, spread }: Cell): Point =>
  around(x, mean * 100, spread === null ? null : spread * 100);

/** Radii that keep a readable distance from one another along an axis from 0 to `top`. */
function radiusTicks(epsilons: readonly number[], top: number): number[] {
  const ticks = [0];
  const room = top / 8;
  for (const epsilon of [...new Set(epsilons)].sort((a, b) => b - a)) {
    const free = ticks.every((tick) => Math.abs(tick - epsilon) >= room);
    if (free) ticks.push(epsilon);
  }
  return ticks.sort((a, b) => a - b);
}

/** Radii of all groups in one norm: their panels share an axis. */
function radiiOf(groups: readonly AttackGroup[], norm: string): number[] {
  return groups.filter((group) => group.norm === norm).flatMap(({ epsilons }) => epsilons);
}

function panelOf(
  series: readonly Series[],
  title: string,
  norm: string,
  radii: readonly number[],
): Promise<Panel> {
  const top = Math.max(...radii) || 1;
  const ticks = radiusTicks(radii, top);
  return lineChart(series, {
    title,
    x: { label: `ε (${normText(norm)}, ${unitText([norm])})`, domain: [0, top], ticks, format: epsilonText },
    y: { label: "accuracy, %", type: "linear", domain: [0, 100], ticks: [0, 20, 40, 60, 80, 100] },
  });
}

/** Accuracy of every method under every attack; null where no attack was run. */
export async function accuracyAgainstEpsilon(record: RunRecord): Promise<Figure | null> {
  const { groups, rows } = tableOf(record.results);
  if (groups.length === 0) return null;
  const methods = methodsOf(record);
  const panels = casesOf(record).flatMap((of) =>
    groups.flatMap((group, g) => {
      const members = rows.filter((row) => row.case === of && row.robust[g]?.some((cell) => cell !== null));
      if (members.length === 0) return [];
      const series = members.map(({ method, clean, robust }) => ({
        label: method,
        index: methods.indexOf(method),
        points: [pointOf(0, clean), ...pointsUnder(group, robust[g] ?? [])],
      }));
      return panelOf(series, caseTitle(of, group.title), group.norm, radiiOf(groups, group.norm));
    }),
  );
  const shown = methods.filter((method) => rows.some((row) => row.method === method));
  const series = shown.map((method) => ({ label: method, index: methods.indexOf(method) }));
  const spread = rows.some(({ clean }) => clean.spread !== null)
    ? " Lines: mean over seeds; bands: standard deviation."
    : "";
  return {
    name: "accuracy-against-epsilon",
    title: "Accuracy against ε",
    caption: `Test accuracy under each attack; ε 0 is the clean accuracy.${spread}`,
    alt: `Accuracy against ε under ${groups.map(({ title }) => title).join(", ")} for ${rows.map(({ name }) => name).join(", ")}; the figures are those of the results table.`,
    panels: [await legend(series), ...(await Promise.all(panels))],
  };
}

const pointsUnder = ({ epsilons }: AttackGroup, cells: readonly (Cell | null)[]): Point[] =>
  epsilons.flatMap((epsilon, i) => {
    const cell = cells[i] ?? null;
    return epsilon === 0 || cell === null ? [] : [pointOf(epsilon, cell)];
  });

/** Accuracy of the audited model, one panel per norm, one line per attack; null where no attack was run. */
export async function auditAccuracy({ clean, robust }: AuditFile): Promise<Figure | null> {
  const groups = attackGroups(withoutRepeats(robust)).filter(({ suite }) => suite === null);
  if (groups.length === 0) return null;
  const start = around(0, clean * 100, null);
  const series = groups.map((group, index) => ({
    label: group.title,
    index,
    norm: group.norm,
    points: [start, ...auditPoints(robust, group)],
  }));
  const panels = [...groupBy(series, ({ norm }) => norm)].map(([norm, members]) =>
    panelOf(members, `${normText(norm)} attacks`, norm, radiiOf(groups, norm)),
  );
  return {
    name: "accuracy-against-epsilon",
    title: "Accuracy against ε",
    caption: "Accuracy under each attack; ε 0 is the clean accuracy.",
    alt: `Accuracy against ε under ${groups.map(({ title }) => title).join(", ")}; the figures are those of the table.`,
    panels: [await legend(series), ...(await Promise.all(panels))],
  };
}

const auditPoints = (robust: AuditFile["robust"], group: AttackGroup): Point[] =>
  group.epsilons.flatMap((epsilon) =>
    recordsAt(robust, group, epsilon)
      .filter(() => epsilon > 0)
      .slice(0, 1)
      .map(({ accuracy }) => around(epsilon, accuracy * 100, null)),
  );
