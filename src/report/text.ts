// Numbers and names as the report writes them, and their escaping for HTML, SVG and Markdown.

/** `text` without control characters, which neither XML nor a terminal should get. */
export const plain = (text: string): string =>
  text.replace(/\s+/g, " ").replace(/[\u0000-\u001f\u007f-\u009f\ud800-\udfff\ufffe\uffff]/gu, "");

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** For text and attributes of HTML and SVG. */
export const escapeMarkup = (text: string): string =>
  plain(text).replace(/[&<>"']/g, (mark) => entities[mark] ?? mark);

/** For a line or table cell of Markdown. */
export const escapeMarkdown = (text: string): string => plain(text).replace(/[\\`*_{}[\]<>|#&~$]/g, "\\$&");

/** The first `length` characters, the last of them an ellipsis where some are left out. */
export function shorten(text: string, length: number): string {
  const letters = Array.from(plain(text));
  return letters.length <= length ? letters.join("") : `${letters.slice(0, length - 1).join("")}…`;
}

/** `text` with a full stop at its end. */
export const sentence = (text: string): string =>
  /[.!?…]$/.test(text.trim()) ? text.trim() : `${text.trim()}.`;

/** 10000 → `10,000`. */
export const integer = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ",");

/** 1 → `1 epoch`, 2000 → `2,000 epochs`. */
/** What a smoke run's results begin with. */
export const smokeText = (notes: readonly string[]): string =>
  `A smoke run, whose figures mean nothing: ${notes.join("; ")}.`;

export const plural = (count: number, word: string, ending = "s"): string =>
  `${integer(count)} ${word}${count === 1 ? "" : ending}`;

/** A file's name without its folders. */
export const fileText = (path: string): string => path.split(/[/\\]/).at(-1) ?? path;

/** A share of n images in per cent: two decimals from 1,000 images on, else one. */
export const percent = (share: number, n: number): string => (share * 100).toFixed(n < 1000 ? 1 : 2);

/** A radius: `0.1`, or `8/255` where that is the shorter name of it. */
export function epsilonText(epsilon: number): string {
  const short = String(Number(epsilon.toPrecision(3)));
  if (Math.abs(Number(short) - epsilon) < 1e-9) return short;
  const levels = Math.round(epsilon * 255);
  return Math.abs(levels - epsilon * 255) < 1e-4 ? `${levels}/255` : String(Number(epsilon.toPrecision(4)));
}

const norms: Readonly<Record<string, string>> = { linf: "L∞", l2: "L2", l1: "L1", l0: "L0" };
export const normText = (norm: string): string => norms[norm] ?? norm;

/** What radii in these norms are measured in. */
export function unitText(norms: readonly string[], units = "input units"): string {
  const counts = norms.filter((norm) => norm === "l0").length;
  if (counts === 0) return units;
  return counts < norms.length ? `${units}, in L0 input elements` : "input elements";
}

/** Names that are neither words nor acronyms. */
const ownNames: Readonly<Record<string, string>> = {
  autoattack: "AutoAttack",
  "carlini-wagner": "Carlini–Wagner",
  deepfool: "DeepFool",
  "hop-skip-jump": "HopSkipJump",
  square: "Square",
};

/** `fgsm` → `FGSM`, `apgd-t` → `APGD-T`: short words are acronyms. Names of other models stay: `FGSM transfer from a.onnx`. */
export function attackText(attack: string): string {
  const [, own = attack, from = ""] = /^(\S+)( transfer from .*)$/.exec(attack) ?? [];
  const words = own.replace(/[a-z]+/g, (word) => (word.length <= 4 ? word.toUpperCase() : word));
  return `${ownNames[own] ?? words}${from}`;
}

/** A value of plain data: words as they are, all else as JSON. */
export const valueText = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined ? "–" : JSON.stringify(value);

/** Plain data on one line: `steps 20, randomStart true`. */
export const optionsText = (options: Readonly<Record<string, unknown>>): string =>
  Object.entries(options)
    .map(([name, value]) => `${name} ${valueText(value)}`)
    .join(", ");

/** Seconds as `42.1 s`, `3:05 min` or `1:02:03 h`. */
export function duration(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)} h` : `${m}:${two(s)} min`;
}
