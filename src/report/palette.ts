// Colours of the report by name, for light and dark; figures use `var(--name)` and get real colours when they
// leave the page.

/** Text and lines hold a contrast of 4.5 (text) and 3 (lines) to both grounds; the test measures it. */
export const palettes = {
  light: {
    paper: "#ffffff",
    card: "#f4f6f8",
    ink: "#1b1f24",
    muted: "#57606a",
    rule: "#d0d7de",
    link: "#0b5cad",
    doubt: "#9a5b00",
    method0: "#3d444d",
    method1: "#0072b2",
    method2: "#cf4d00",
    method3: "#00805a",
    method4: "#a63a86",
    method5: "#2e8fc7",
    method6: "#9a7400",
    method7: "#8c564b",
  },
  dark: {
    paper: "#0f1419",
    card: "#1a2129",
    ink: "#e6eaef",
    muted: "#9aa5b1",
    rule: "#36404b",
    link: "#79b8ff",
    doubt: "#f0b429",
    method0: "#c9d1d9",
    method1: "#4aa8e8",
    method2: "#ff8a47",
    method3: "#2fc296",
    method4: "#e58fcb",
    method5: "#a5dcff",
    method6: "#f2cf3b",
    method7: "#c9a092",
  },
} as const;

export type ColorName = keyof typeof palettes.light;

/** `var(--name)`, the form in which a figure names a colour. */
export const color = (name: ColorName): string => `var(--${name})`;

const methodColors = Object.keys(palettes.light).filter((name) => name.startsWith("method")) as ColorName[];

/** Marks that stay apart without colour; their number and that of the colours share no divisor. */
const symbols = ["circle", "square", "triangle", "diamond", "star", "cross", "wye"] as const;

/** Look of the i-th method (or attack) in every figure of a report. */
export function styleOf(index: number): { color: string; symbol: (typeof symbols)[number] } {
  return {
    color: color(methodColors[index % methodColors.length] ?? "ink"),
    symbol: symbols[index % symbols.length] ?? "circle",
  };
}

/** The colours as CSS declarations. */
export const declarations = (theme: keyof typeof palettes): string =>
  Object.entries(palettes[theme])
    .map(([name, value]) => `--${name}: ${value};`)
    .join(" ");

/** `text` with every `var(--name)` as the light colour itself. */
export const inLight = (text: string): string =>
  text.replace(/var\(--(\w+)\)/g, (whole, name: string) =>
    name in palettes.light ? palettes.light[name as ColorName] : whole,
  );
