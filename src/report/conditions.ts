// What every table must state: seeds, n, split, labels, the space and unit of ε, crafting, engine, versions.
import { attackNames, createAttack } from "../attacks/create.js";
import type { AuditFile, RobustRecord } from "../experiments/records.js";
import type { RunRecord } from "../experiments/run-record.js";
import type { Fact } from "./document.js";
import { attackGroups, groupBy, recordsAt } from "./table.js";
import { attackText, integer, normText, optionsText, plural, unitText, valueText } from "./text.js";

const pixelUnits = "units of pixels in [0, 1], before range, mean and std";

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

/** `10,000`, or `100 to 1,000` where the records differ. */
function imageCount(records: readonly { readonly n: number }[]): string {
  const counts = records.map(({ n }) => n);
  if (counts.length === 0) return "not recorded";
  const [low, high] = [Math.min(...counts), Math.max(...counts)];
  return low === high ? integer(low) : `${integer(low)} to ${integer(high)}`;
}

/** `10,000 test images`, `1 test image`. */
export function imagesText(records: readonly { readonly n: number }[], words = "image"): string {
  const count = imageCount(records);
  return `${count} ${words}${count === "1" ? "" : "s"}`;
}

/** n of every cell, by attack where it differs. */
function imagesFact(records: readonly RobustRecord[]): Fact {
  const all = imageCount(records);
  if (!all.includes(" to ")) return ["Images (n)", records.length === 0 ? all : `${all} per cell`];
  const byAttack = attackGroups(records).map(
    (group) =>
      `${group.title} ${imageCount(group.epsilons.flatMap((epsilon) => recordsAt(records, group, epsilon)))}`,
  );
  return ["Images (n)", byAttack.join("; ")];
}

/** Where the attacks' points come from. */
function craftedOn(records: readonly RobustRecord[]): string {
  const others = unique(records.flatMap(({ attack }) => /transfer from .*$/.exec(attack) ?? []));
  const own = unique(records.map(({ attack }) => attack)).filter(
    (name) => attackNames.includes(name) && !records.some(({ suite }) => suite === name),
  );
  const isBlackBox = (name: string): boolean => createAttack(name).kind === "black-box";
  const listed = (names: readonly string[]): string => names.map(attackText).join(", ");
  const [black, white] = [own.filter(isBlackBox), own.filter((name) => !isBlackBox(name))];
  return [
    ...(white.length > 0
      ? [`white box on the model itself${black.length > 0 ? ` (${listed(white)})` : ""}`]
      : []),
    ...(black.length > 0 ? [`black box, from the model's outputs alone (${listed(black)})`] : []),
    ...others,
  ].join("; ");
}

/** What can be said of the attacks from their records. */
function attackFacts(
  records: readonly RobustRecord[],
  {
    unit,
    mode = "evaluation mode (dropout off, batch statistics fixed)",
  }: { readonly unit: string; readonly mode?: string },
): Fact[] {
  if (records.length === 0) return [["Attacks", "none"]];
  const labels = unique(records.map((record) => record.labels));
  const aim = unique(records.map(({ targeted }) => (targeted === true ? "targeted" : "untargeted")));
  const norms = unique(records.map(({ norm }) => normText(norm)));
  const groups = attackGroups(records).map(({ title, options }) =>
    Object.keys(options).length === 0 ? title : `${title}: ${optionsText(options)}`,
  );
  return [
    ["Labels attacked", `${labels.join(" and ")} (${aim.join(" and ")})`],
    ["Space and unit of ε", `radius of the ${norms.join(", ")} ball, ${unit}`],
    ["Crafting", `${craftedOn(records)}, in ${mode}`],
    ["Attacks", groups.join("; ")],
  ];
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `mlp (hidden [400,400])` of `{ name, options }`; JSON of anything else. */
function referenceText(value: unknown): string {
  if (!isRecord(value) || typeof value["name"] !== "string") return valueText(value);
  const options = isRecord(value["options"]) ? optionsText(value["options"]) : "";
  return options === "" ? value["name"] : `${value["name"]} (${options})`;
}

/** Model and training, as far as the recipe has them; what all cases share is said once. */
function recipeFacts(recipe: unknown): Fact[] {
  if (!isRecord(recipe)) return [];
  const { cases } = recipe;
  if (!isRecord(cases)) return settingFacts(recipe);
  const facts = Object.entries(cases).flatMap(([name, each]) =>
    isRecord(each) ? settingFacts(each).map(([term, value]) => ({ name, term, value })) : [],
  );
  return [...groupBy(facts, ({ term }) => term)].flatMap(([term, members]): Fact[] => {
    const [{ value } = { value: "" }] = members;
    if (members.every((each) => each.value === value)) return [[term, value]];
    return members.map((each) => [`${term}, ${each.name}`, each.value]);
  });
}

function settingFacts({ model, preprocessing, training }: Readonly<Record<string, unknown>>): Fact[] {
  const settings = isRecord(training)
    ? Object.entries(training).map(([name, value]) => `${name} ${referenceText(value)}`)
    : [];
  return [
    ...(model === undefined ? [] : [["Model", referenceText(model)] as const]),
    ...(Array.isArray(preprocessing)
      ? [
          [
            "Preprocessing, fitted to the training images",
            preprocessing.map(referenceText).join(", "),
          ] as const,
        ]
      : []),
    ...(settings.length === 0 ? [] : [["Training", settings.join(", ")] as const]),
  ];
}

export function seedText(seeds: readonly number[], runs: number): string {
  const list = seeds.join(", ");
  return runs > 1
    ? `${list}; cells are mean ± sample standard deviation over seeds`
    : `${list} (one run per method)`;
}

/** What is added to a unit unless it says already what lies between images and model. */
const ofModel = (saysIt: boolean): string => (saysIt ? "" : ", before any normalisation of the model");

const isAnySpaced = ({ rows }: RunRecord["results"]): boolean =>
  rows.some(({ space }) => space !== undefined);

const preprocessedUnits = "units of preprocessed images, without bounds";

/** In what a run measures ε: units of preprocessed images where its methods and attacks see those. */
export function runUnit({ rows }: RunRecord["results"]): string {
  const norms = rows.flatMap(({ robust }) => robust.map(({ norm }) => norm));
  const behind = rows.filter(({ space }) => space === "preprocessed");
  if (behind.length === 0) return unitText(norms);
  if (behind.length === rows.length) return unitText(norms, preprocessedUnits);
  const cases = unique(behind.flatMap((row) => row.case ?? [])).join(", ");
  return unitText(norms, `units of pixels in [0, 1] (${cases}: ${preprocessedUnits})`);
}

/** The conditions of a run's table. */
export function runConditions({ run, results }: RunRecord): Fact[] {
  const { environment } = run;
  const records = results.rows.flatMap(({ robust }) => robust);
  const seeds = unique(results.rows.map(({ seed }) => seed)).sort((a, b) => a - b);
  const engines = environment.jobs === 1 ? "one engine" : `${environment.jobs} engines side by side`;
  return [
    ["Seeds", seedText(seeds, seeds.length)],
    imagesFact(records),
    ["Dataset and split", `${results.dataset}, test`],
    ...attackFacts(records, { unit: `${runUnit(results)}${ofModel(isAnySpaced(results))}` }),
    ...recipeFacts(run.recipe),
    ["Engine", `ONNX Runtime ${environment.onnxruntime}, ${environment.provider}`],
    ["Threads", `${environment.threads} per engine, ${engines}`],
    ["Versions", `Temper ${environment.temper}, Node ${environment.node}`],
    ["Commit", environment.commit ?? "not recorded"],
    ["Machine", `${environment.processor}, ${environment.platform}`],
    ["Time", `${run.started} to ${run.finished ?? "– not finished"}`],
  ];
}

/** Whether something lies between pixels in [0, 1] and the model. */
const isMapped = ({ preprocessing = {} }: AuditFile["dataset"]): boolean =>
  ["range", "mean", "std"].some((key) => key in preprocessing);

/** In what ε is measured: pixels in [0, 1] where something lies between them and the model. */
export const epsilonUnit = ({ dataset, robust }: Pick<AuditFile, "dataset" | "robust">): string =>
  unitText(
    robust.map(({ norm }) => norm),
    isMapped(dataset) ? pixelUnits : undefined,
  );

function preprocessingFacts(dataset: AuditFile["dataset"]): Fact[] {
  const { preprocessing = {}, notes = [] } = dataset;
  const keys = Object.entries(preprocessing).map(([key, value]) => `${key} ${valueText(value)}`);
  return [
    ...(keys.length > 0 ? [["Preprocessing", keys.join("; ")] as const] : []),
    ...notes.map((note) => ["Images", note] as const),
  ];
}

const modes: Readonly<Record<NonNullable<AuditFile["mode"]>, string>> = {
  eval: "eval: dropout as its nodes say, off where they do not; batch normalisation on its running statistics",
  train: "train: dropout draws its masks; batch normalisation on its running statistics",
};

/** The conditions of an audit's table. */
export function auditConditions(audit: AuditFile): Fact[] {
  const { model, dataset, seed, mode = "eval", robust, environment, transferFrom = [] } = audit;
  return [
    [
      "Model",
      `${model.file}: input ${model.inputShape.join("×")}, ${model.classes} classes, ${plural(model.parameters, "parameter")}`,
    ],
    ["SHA-256", model.sha256],
    ...model.notes.map((note) => ["Note", note] as const),
    ...transferFrom.map(({ file, sha256 }) => ["Transfer from", `${file}, SHA-256 ${sha256}`] as const),
    ["Mode", modes[mode]],
    ["Seeds", `${seed} (of the attacks)`],
    ["Images (n)", integer(dataset.n)],
    ["Dataset and split", `${dataset.name}, ${dataset.split}`],
    ...preprocessingFacts(dataset),
    ...attackFacts(robust, {
      unit: `${epsilonUnit({ dataset, robust })}${ofModel(isMapped(dataset))}`,
      mode: `mode ${mode}`,
    }),
    ...Object.entries(environment).map(
      ([name, value]) => [name, value === null ? "not recorded" : valueText(value)] as const,
    ),
  ];
}
