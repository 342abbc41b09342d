// A profile as tables: where a training step's time goes, by pass, by layer, by operator, by kernel.
import type { StepProfile } from "../experiments/records.js";
import type { DataTable } from "./document.js";
import { shorten } from "./text.js";
import { byKind, byLayer, byPass, groupOf, leading, placeOf, single, type Group } from "./profile-groups.js";

/** Milliseconds in steps that suit a whole of `total`: `268.1`, `0.902`. */
export function timeText(milliseconds: number, total: number): string {
  const digits = total >= 100 ? 1 : total >= 10 ? 2 : total >= 1 ? 3 : 4;
  return milliseconds.toFixed(digits);
}

export const shareText = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** GFLOP/s, and their share of the machine's product. */
function rateCells({ gigaflops }: Group, { product }: StepProfile): [string, string] {
  if (gigaflops === null) return ["", ""];
  return [gigaflops.toFixed(0), `${((100 * gigaflops) / product.gigaflops.median).toFixed(0)} %`];
}

const column = (name: string): { group: null; name: string } => ({ group: null, name });
const rateColumns = [column("GFLOP/s"), column("of product")];

/** Passes, and what a step is beside its kernels. */
export function passTable(profile: StepProfile): DataTable {
  const { times, kernels } = profile;
  const cells = (milliseconds: number, rate: readonly string[]): string[] => [
    timeText(milliseconds, times.step),
    shareText(milliseconds / times.step),
    ...rate,
  ];
  const row = (group: Group): { name: string; cells: string[] } => ({
    name: group.name,
    cells: cells(group.milliseconds, rateCells(group, profile)),
  });
  return {
    caption: "A training step by pass, milliseconds",
    corner: "pass",
    columns: [column("ms"), column("share"), ...rateColumns],
    rows: [
      ...byPass(kernels).map(row),
      row({ ...groupOf("all kernels", kernels), milliseconds: times.kernels }),
      { name: "between kernels", cells: cells(times.between, ["", ""]) },
      { name: "copies in and out", cells: cells(times.copies, ["", ""]) },
      { name: "a step (session.run)", cells: cells(times.step, ["", ""]) },
    ],
  };
}

/** Time of the part of `group` for which `of` holds; nothing where there is none. */
function partText(group: Group, total: number, of: (order: number) => boolean): string {
  const found = group.kernels.filter(({ scope }) => of(placeOf(scope).order));
  return found.length === 0 ? "" : timeText(groupOf("", found).milliseconds, total);
}

/** Layers, of those that have a gradient both passes. */
export function layerTable(profile: StepProfile, most: number): DataTable {
  const { times, kernels } = profile;
  const differentiated = new Set(
    kernels.map(({ scope }) => placeOf(scope)).flatMap(({ order, pass }) => (order > 0 ? [pass] : [])),
  );
  const halves = (group: Group): string[] =>
    group.kernels.some(({ scope }) => differentiated.has(placeOf(scope).pass))
      ? [
          partText(group, times.step, (order) => order === 0),
          partText(group, times.step, (order) => order > 0),
        ]
      : ["", ""];
  return {
    caption: "Layers, milliseconds a step",
    corner: "layer",
    columns: [column("forward"), column("gradient"), column("ms"), column("share"), ...rateColumns],
    rows: leading(byLayer(kernels), most, 0.005).map((group) => ({
      name: group.name,
      cells: [
        ...halves(group),
        timeText(group.milliseconds, times.step),
        shareText(group.milliseconds / times.step),
        ...rateCells(group, profile),
      ],
    })),
  };
}

/** Operators. */
export function kindTable(profile: StepProfile, most: number): DataTable {
  const { times, kernels } = profile;
  return {
    caption: "Operators, milliseconds a step",
    corner: "operator",
    columns: [column("calls"), column("ms"), column("share"), ...rateColumns],
    rows: leading(byKind(kernels), most, 0.005).map((group) => ({
      name: group.name,
      cells: [
        group.calls.toFixed(0),
        timeText(group.milliseconds, times.step),
        shareText(group.milliseconds / times.step),
        ...rateCells(group, profile),
      ],
    })),
  };
}

/** `scope` in at most `letters` where that can be done by shortening its pass: its end tells more. */
export function scopeText(scope: string, letters: number): string {
  if (scope.length <= letters) return scope;
  const [pass = "", ...rest] = scope.replace(/gradient(\/[^/]+)?\/gradient/, "gradient²").split("/");
  const end = rest.map((part) => `/${part}`).join("");
  return shorten(pass, Math.max(4, letters - end.length)) + end;
}

/** Most letters of a kernel's names, for narrow places. */
export interface Letters {
  readonly scope: number;
  readonly operator: number;
}

/** The kernels that take most time. */
export function kernelTable(
  profile: StepProfile,
  most: number,
  letters: Letters = { scope: Infinity, operator: Infinity },
): DataTable {
  const { times, kernels } = profile;
  const longest = single(kernels).slice(0, most);
  return {
    caption: `The ${longest.length} longest kernels, milliseconds a step`,
    corner: "kernel",
    columns: [{ ...column("operator"), words: true }, column("ms"), column("share"), ...rateColumns],
    rows: longest.map((group) => ({
      name: scopeText(group.name, letters.scope),
      cells: [
        ...group.kernels.map(({ kind }) => shorten(kind, letters.operator)),
        timeText(group.milliseconds, times.step),
        shareText(group.milliseconds / times.step),
        ...rateCells(group, profile),
      ],
    })),
  };
}
