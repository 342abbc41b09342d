// Accuracy under corruptions as tables: of one model by severity, of several methods by their means.
import type { AuditFile, ResultRow } from "../experiments/records.js";
import { methodName } from "../experiments/names.js";
import { heading, paragraph, type Block, type DataTable } from "./document.js";
import { cellText, groupBy, meanAndSpread } from "./table.js";
import { percent } from "./text.js";

type Fields = Pick<ResultRow, "corruptions" | "corruptionMeans" | "corruptionParameters">;

const groupTitles: Readonly<Record<string, string>> = {
  common: "mean, common corruptions",
  disturbances: "mean, disturbances",
};

const imagesOf = ({ corruptions = [] }: Fields): number => corruptions[0]?.n ?? 0;

/** Corruptions × severities, means last; null where none were run. */
export function corruptionTable(audit: AuditFile): DataTable | null {
  const { corruptions = [], corruptionMeans = [], model, dataset } = audit;
  if (corruptions.length === 0) return null;
  const n = imagesOf(audit);
  const severities = [...new Set(corruptions.map(({ severity }) => severity))];
  return {
    caption: `Accuracy in % of ${model.file} on ${dataset.name}, ${dataset.split} split, under corruptions (clean: ${percent(audit.clean, dataset.n)})`,
    corner: "corruption",
    columns: [
      ...severities.map((severity) => ({ group: "severity", name: String(severity) })),
      { group: null, name: "mean" },
    ],
    rows: corruptionMeans.map(({ over, accuracy }) => {
      const cells = severities.map((severity) => {
        const record = corruptions.find((each) => each.name === over && each.severity === severity);
        return record === undefined ? "" : percent(record.accuracy, n);
      });
      return { name: groupTitles[over] ?? over, cells: [...cells, percent(accuracy, n)] };
    }),
  };
}

/** Means and the worst corruption in a sentence; nothing where none were run. */
export function corruptionSummary(audit: AuditFile): string[] {
  const { corruptions = [], corruptionMeans = [] } = audit;
  const [first] = corruptions.toSorted((a, b) => a.accuracy - b.accuracy);
  if (first === undefined) return [];
  const n = imagesOf(audit);
  const means = corruptionMeans.flatMap(({ over, accuracy }) =>
    over in groupTitles ? [`${percent(accuracy, n)} % (${groupTitles[over] ?? over})`] : [],
  );
  const worst = `${percent(first.accuracy, n)} % under ${first.name}, severity ${first.severity}`;
  return [`Under corruptions ${means.join(", ")} of the images are classified rightly; fewest, ${worst}.`];
}

/** Corruptions × methods, means over severities and seeds; null where none were run. */
export function methodCorruptionTable(rows: readonly ResultRow[]): DataTable | null {
  const methods = [...groupBy(rows, methodName)];
  const [first] = rows.filter(({ corruptions }) => corruptions !== undefined);
  if (first === undefined) return null;
  const n = imagesOf(first);
  return {
    caption: `Accuracy in % under corruptions, mean over severities ${severityText(first)}`,
    corner: "corruption",
    columns: methods.map(([method]) => ({ group: null, name: method })),
    rows: (first.corruptionMeans ?? []).map(({ over }) => ({
      name: groupTitles[over] ?? over,
      cells: methods.map(([, members]) => {
        const values = members.flatMap(({ corruptionMeans = [] }) =>
          corruptionMeans.filter((mean) => mean.over === over).map(({ accuracy }) => accuracy),
        );
        return cellText(values.length === 0 ? null : { ...meanAndSpread(values), n });
      }),
    })),
  };
}

const severityText = ({ corruptions = [] }: Fields): string =>
  [...new Set(corruptions.map(({ severity }) => severity))].join(", ");

const setTitles: Readonly<Record<NonNullable<Fields["corruptionParameters"]>, string>> = {
  "cifar-10-c": "CIFAR-10-C",
  "tiny-imagenet-c": "Tiny-ImageNet-C",
  "imagenet-c": "ImageNet-C",
};

/** What the figures of the tables stand for, and what they cannot be compared with. */
export function corruptionNotes({ corruptionMeans = [], corruptionParameters: set }: Fields): string[] {
  const ran = (name: string): boolean => corruptionMeans.some(({ over }) => over === name);
  const frost = ran("frost")
    ? " Frost is drawn, not photographed: its figures, and means with them, are not comparable with published ones."
    : "";
  return [
    ...(ran("common") && set !== undefined
      ? [
          `Common corruptions have the published parameters of ${setTitles[set]}; values are not rounded to 8 bits.${frost}`,
        ]
      : []),
    ...(ran("disturbances")
      ? ["Disturbances were published without parameters: the severities are Temper's."]
      : []),
  ];
}

/** Table and notes under a heading of their own, if there is a table. */
export const corruptionBlocks = (table: DataTable | null, fields: Fields): Block[] =>
  table === null
    ? []
    : [heading(3, "Corruptions"), { kind: "table", table }, ...corruptionNotes(fields).map(paragraph)];
