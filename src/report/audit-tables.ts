// An audit's results as rows of text: what each attack left, and what it asked of the model for that.
import type { AuditFile, BudgetRecord } from "../experiments/records.js";
import type { DataColumn, DataTable } from "./document.js";
import { attackGroups, budgetAt, recordsAt, withoutRepeats, type AttackGroup } from "./table.js";
import {
  attackText,
  duration,
  epsilonText,
  fileText,
  integer,
  normText,
  percent,
  plural,
  unitText,
} from "./text.js";

/** What the figures of a table are about. */
export function aboutText({ model, dataset, robust }: AuditFile): string {
  const labels = robust.some((record) => record.labels === "predicted") ? ", predicted labels attacked" : "";
  const aim = robust.some(({ targeted }) => targeted === true) ? ", towards a random wrong class" : "";
  const images = plural(dataset.n, "image");
  return `Accuracy in % of ${fileText(model.file)} on ${dataset.name} ${dataset.split}, ${images}${labels}${aim}`;
}

/** Passes of an image: `7.3`, `41`, `1,204`. */
const countText = (count: number): string =>
  count < 100 ? String(Number(count.toFixed(1))) : integer(Math.round(count));

/** Passes and seconds. */
interface Cost {
  readonly budget: BudgetRecord;
  readonly seconds: number;
}

type CostCells = (cost: Cost | undefined) => string[];

/** What `group` cost at `epsilon`, a suite as much as its stages. */
function costOf({ budget = [], times }: AuditFile, group: AttackGroup, epsilon: number): Cost | undefined {
  const { attack, suite, norm } = group;
  const found = budgetAt(budget, group, epsilon);
  const own = times.filter(
    (time) =>
      time.norm === norm &&
      (time.epsilon ?? epsilon) === epsilon &&
      ((time.attack === attack && (time.suite ?? null) === suite) || time.suite === attack),
  );
  return found && { budget: found, seconds: own.reduce((total, { seconds }) => total + seconds, 0) };
}

const dash = "–";

/** Time, and of each kind of pass the mean and the most. */
const allCosts: CostCells = (cost) =>
  cost === undefined
    ? Array.from({ length: 5 }, () => dash)
    : [
        duration(cost.seconds),
        ...[cost.budget.forward, cost.budget.gradient].flatMap(({ mean, most }) => [
          countText(mean),
          countText(most),
        ]),
      ];

const means: CostCells = (cost) =>
  cost === undefined
    ? [dash, dash]
    : [cost.budget.forward, cost.budget.gradient].map(({ mean }) => countText(mean));

const plain = (name: string): DataColumn => ({ group: null, name });
const grouped = (group: string, ...names: string[]): DataColumn[] => names.map((name) => ({ group, name }));

interface Layout {
  /** In columns of these names, where the record says what attacks cost. */
  readonly costs: CostCells;
  readonly columns: readonly DataColumn[];
}

const full: Layout = {
  costs: allCosts,
  columns: [
    plain("time"),
    ...grouped("forward passes an image", "mean", "most"),
    ...grouped("gradient passes an image", "mean", "most"),
  ],
};

const brief: Layout = { costs: means, columns: grouped("passes an image", "forward", "gradient") };

/** A row for each of `groups` at each of its radii, under the heads of `layout`. */
function tableFor(
  audit: AuditFile,
  groups: readonly AttackGroup[],
  { costs, columns }: Layout,
): Pick<DataTable, "columns" | "rows"> {
  const { robust, budget } = audit;
  const kept = withoutRepeats(robust);
  return {
    columns: [plain("ε"), plain("accuracy"), ...(budget ? columns : [])],
    rows: groups.flatMap((group) =>
      group.epsilons.flatMap((epsilon) =>
        recordsAt(kept, group, epsilon).map(({ accuracy, n }) => ({
          name: group.title,
          cells: [
            epsilonText(epsilon),
            percent(accuracy, n),
            ...(budget ? costs(costOf(audit, group, epsilon)) : []),
          ],
        })),
      ),
    ),
  };
}

/** `tableFor` under a row for the clean images. */
function tableWithClean(audit: AuditFile, groups: readonly AttackGroup[], layout: Layout): DataTable {
  const { columns, rows } = tableFor(audit, groups, layout);
  const { clean, dataset } = audit;
  const costs = columns.slice(2).map(() => dash);
  const first = { name: "none (clean)", cells: ["0", percent(clean, dataset.n), ...costs] };
  return { caption: aboutText(audit), corner: "attack", columns, rows: [first, ...rows] };
}

const isStage = ({ suite }: AttackGroup): boolean => suite !== null;

/** One row for each attack and radius; suites as a whole. */
export const attacksTable = (audit: AuditFile): DataTable =>
  tableWithClean(
    audit,
    attackGroups(audit.robust).filter((group) => !isStage(group)),
    full,
  );

/** The stages of suites, one row for each radius; null where no suite was run. */
export function stagesTable(audit: AuditFile): DataTable | null {
  const groups = attackGroups(audit.robust).filter(isStage);
  if (groups.length === 0) return null;
  return { caption: aboutText(audit), corner: "stage", ...tableFor(audit, groups, full) };
}

/** Attacks, stages among them, in few columns. */
export const briefTable = (audit: AuditFile): DataTable =>
  tableWithClean(audit, attackGroups(audit.robust), brief);

/** What all attacks together asked of the model; null where the record does not say. */
export function budgetText({ budget, times, environment }: AuditFile): string | null {
  if (budget === undefined || budget.length === 0) return null;
  const whole = budget.filter(({ suite }) => suite === undefined);
  const [forward, gradient] = [
    whole.reduce((total, each) => total + each.forward.total, 0),
    whole.reduce((total, each) => total + each.gradient.total, 0),
  ];
  const seconds = times.reduce((total, time) => total + time.seconds, 0);
  const jobs = environment["jobs"];
  const engines = typeof jobs === "number" ? ` on ${plural(jobs, "engine")}` : "";
  return `Budget: ${plural(forward, "forward pass", "es")} (queries) and ${plural(gradient, "gradient pass", "es")} in all, ${duration(seconds)}${engines}.`;
}

const quantileNames = [
  ["least", "nearest"],
  ["lower", "quarter"],
  ["median", "median"],
  ["upper", "three quarters"],
  ["most", "farthest"],
] as const;

/** How far the nearest adversarial points lie; null where no attack looked for them. */
export function distancesTable({ distances }: Pick<AuditFile, "distances">): DataTable | null {
  if (distances.length === 0) return null;
  return {
    caption: `Distances of the nearest adversarial points, ${unitText(distances.map(({ norm }) => norm))}`,
    corner: "attack",
    columns: [...quantileNames.map(([, name]) => name), "found", "of"].map((name) => ({ group: null, name })),
    rows: distances.map(({ attack, norm, quantiles, found, n }) => ({
      name: `${attackText(attack)} ${normText(norm)}`,
      cells: [...quantileNames.map(([key]) => distanceText(quantiles[key])), integer(found), integer(n)],
    })),
  };
}

const distanceText = (distance: number | null | undefined): string =>
  distance === null || distance === undefined ? "–" : String(Number(distance.toPrecision(3)));
