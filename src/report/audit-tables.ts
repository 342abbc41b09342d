// An audit's results as rows of text: what each attack left, and what it asked of the model for that.
import type { AuditFile, BudgetRecord } from "../experiments/records.js";
import type { DataColumn, DataTable } from "./document.js";
import { attackGroups, budgetAt, recordsAt, withoutRepeats, type AttackGroup } from "./table.js";
import { attackText, duration, epsilonText, fileText, integer, normText, percent, plural } from "./text.js";

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

type PassCells = (budget: BudgetRecord | undefined) => string[];

/** Of each kind of pass the mean and the most. */
const meanAndMost: PassCells = (budget) =>
  ([budget?.forward, budget?.gradient] as const).flatMap((passes) =>
    passes ? [countText(passes.mean), countText(passes.most)] : ["–", "–"],
  );

const means: PassCells = (budget) =>
  ([budget?.forward, budget?.gradient] as const).map((passes) => (passes ? countText(passes.mean) : "–"));

/** Seconds that `group` took at `epsilon`, those of its stages if it is a suite; null where nothing says. */
function secondsOf(
  { times }: AuditFile,
  { attack, suite, norm }: AttackGroup,
  epsilon: number,
): number | null {
  const own = times.filter(
    (time) =>
      time.norm === norm &&
      (time.epsilon ?? epsilon) === epsilon &&
      ((time.attack === attack && (time.suite ?? null) === suite) ||
        (suite === null && time.suite === attack)),
  );
  return own.length === 0 ? null : own.reduce((total, { seconds }) => total + seconds, 0);
}

const plain = (name: string): DataColumn => ({ group: null, name });
const grouped = (group: string, ...names: string[]): DataColumn[] => names.map((name) => ({ group, name }));

interface Layout {
  readonly groups: readonly AttackGroup[];
  readonly passes: PassCells;
  readonly columns: readonly DataColumn[];
  readonly withTimes: boolean;
}

const rowsOf = (audit: AuditFile, { groups, passes, withTimes }: Layout): DataTable["rows"] => {
  const { robust, budget } = audit;
  const kept = withoutRepeats(robust);
  return groups.flatMap((group) =>
    group.epsilons.flatMap((epsilon) =>
      recordsAt(kept, group, epsilon).map(({ accuracy, n }) => {
        const seconds = secondsOf(audit, group, epsilon);
        return {
          name: group.title,
          cells: [
            epsilonText(epsilon),
            percent(accuracy, n),
            ...(budget ? passes(budgetAt(budget, group, epsilon)) : []),
            ...(withTimes ? [seconds === null ? "–" : duration(seconds)] : []),
          ],
        };
      }),
    ),
  );
};

const columnsOf = (
  { budget }: AuditFile,
  { columns, withTimes }: Omit<Layout, "groups" | "passes">,
): DataColumn[] => [
  plain("ε"),
  plain("accuracy"),
  ...(budget ? columns : []),
  ...(withTimes ? [plain("time")] : []),
];

const cleanRow = (audit: AuditFile, width: number): DataTable["rows"][number] => ({
  name: "none (clean)",
  cells: ["0", percent(audit.clean, audit.dataset.n), ...Array.from({ length: width - 2 }, () => "–")],
});

const full: Omit<Layout, "groups"> = {
  passes: meanAndMost,
  columns: [
    ...grouped("forward passes an image", "mean", "most"),
    ...grouped("gradient passes an image", "mean", "most"),
  ],
  withTimes: true,
};

const brief: Omit<Layout, "groups"> = {
  passes: means,
  columns: grouped("passes an image", "forward", "gradient"),
  withTimes: false,
};

const isStage = ({ suite }: AttackGroup): boolean => suite !== null;

/** One row for each attack and radius; suites as a whole. */
export function attacksTable(audit: AuditFile): DataTable {
  const columns = columnsOf(audit, full);
  const groups = attackGroups(audit.robust).filter((group) => !isStage(group));
  const rows = [cleanRow(audit, columns.length), ...rowsOf(audit, { ...full, groups })];
  return { caption: aboutText(audit), corner: "attack", columns, rows };
}

/** The stages of suites, one row for each radius; null where no suite was run. */
export function stagesTable(audit: AuditFile): DataTable | null {
  const groups = attackGroups(audit.robust).filter(isStage);
  if (groups.length === 0) return null;
  const columns = columnsOf(audit, full);
  return {
    caption: `Stages, ${plural(audit.dataset.n, "image")}`,
    corner: "stage",
    columns,
    rows: rowsOf(audit, { ...full, groups }),
  };
}

/** What the accuracies of stages are; nothing where there are none. */
export const stageNotes = ({ robust }: Pick<AuditFile, "robust">): string[] => {
  const suites = [...new Set(robust.flatMap(({ suite }) => suite ?? []))].map(attackText);
  return suites.map(
    (suite) => `${suite}'s stages run one after another: a row has what its stage and those before it leave.`,
  );
};

/** Attacks, stages among them, in few columns. */
export function briefTable(audit: AuditFile): DataTable {
  const columns = columnsOf(audit, brief);
  const groups = attackGroups(audit.robust);
  const rows = [cleanRow(audit, columns.length), ...rowsOf(audit, { ...brief, groups })];
  return { caption: aboutText(audit), corner: "attack", columns, rows };
}

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
    caption: "Distances of the nearest adversarial points, input units",
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
