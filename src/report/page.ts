// The frame of report.html: one file, no requests, light and dark, from a phone to a desk.
import { declarations } from "./palette.js";
import { escapeMarkup as escape } from "./text.js";

const style = `
:root { color-scheme: light dark; ${declarations("light")} }
@media (prefers-color-scheme: dark) { :root { ${declarations("dark")} } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 68rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0.5rem 0; }
h2 { font-size: 1.25rem; margin: 2rem 0 0.5rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1.05rem; margin: 1.5rem 0 0.5rem; }
p { max-width: 44rem; }
.lead { font-size: 1.1rem; }
.brand, figcaption, caption { color: var(--muted); font-size: 0.9rem; }
.brand { margin: 0; }
.doubts { list-style: none; padding: 0; max-width: 44rem; }
.doubts li { background: var(--card); border-left: 4px solid var(--doubt); padding: 0.6rem 0.9rem; margin: 0.6rem 0; }
.doubts p { margin: 0.2rem 0; }
.scroll, pre { --ground: var(--paper); --edge: color-mix(in srgb, var(--muted) 55%, transparent); overflow-x: auto; max-width: 100%; background:
  linear-gradient(to right, var(--ground) 40%, transparent) left / 3rem 100%,
  linear-gradient(to left, var(--ground) 40%, transparent) right / 3rem 100%,
  linear-gradient(to right, var(--edge), transparent) left top / 1.2rem calc(100% - 2px),
  linear-gradient(to left, var(--edge), transparent) right top / 1.2rem calc(100% - 2px), var(--ground);
  background-repeat: no-repeat; background-attachment: local, local, scroll, scroll, scroll; }
table { border-collapse: separate; border-spacing: 0; font-variant-numeric: tabular-nums; font-size: 0.92rem; }
caption { text-align: left; padding-bottom: 0.4rem; }
caption span { position: sticky; left: 0; display: inline-block; max-width: calc(100vw - 2rem); }
th, td { padding: 0.35rem 0.7rem; border-bottom: 1px solid var(--rule); text-align: right; white-space: nowrap;
  overflow-wrap: break-word; }
thead th { vertical-align: bottom; font-weight: 600; }
thead th[scope="colgroup"] { text-align: left; border-left: 1px solid var(--rule); }
th[scope="row"], thead tr:first-child th:first-child { text-align: left; font-weight: 600; position: sticky; left: 0; padding-left: 0;
  background: var(--paper); min-width: 7rem; max-width: max(42vw, 7rem); white-space: normal; }
.words { text-align: left; white-space: normal; }
td.words { max-width: 44rem; }
dl { display: grid; grid-template-columns: minmax(6rem, 28%) 1fr; gap: 0.3rem 1rem; font-size: 0.92rem; margin: 0.5rem 0; }
@media (min-width: 40rem) { dl { grid-template-columns: 10rem 1fr; } }
dt { color: var(--muted); }
dd { margin: 0; }
figure { margin: 0 0 1.5rem; }
.panels { display: grid; gap: 1rem 2rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); }
.panels svg { width: 100%; max-width: 27rem; height: auto; overflow: visible; font-family: inherit; }
.panels svg text { font-family: system-ui, "DejaVu Sans", sans-serif; }
.panels .shared { grid-column: 1 / -1; }
.panels image { image-rendering: pixelated; }
figcaption { margin-top: 0.6rem; max-width: 44rem; }
details { border: 1px solid var(--rule); border-radius: 6px; padding: 0.5rem 0.9rem; margin: 0.6rem 0; }
summary { cursor: pointer; font-weight: 600; }
pre { --ground: var(--card); padding: 0.8rem; font-size: 0.85rem; line-height: 1.45; overflow-wrap: normal; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.columns { display: grid; gap: 0 2rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); }
.columns .panels { grid-template-columns: 1fr; }
@page { size: A4; margin: 11mm 12mm; }
@media print {
  :root { color-scheme: light; ${declarations("light")} }
  body { max-width: none; padding: 0; font-size: 8.5pt; line-height: 1.35; print-color-adjust: exact; }
  h1 { font-size: 14pt; margin: 0; }
  h2 { font-size: 10.5pt; margin: 2.5mm 0 1mm; padding-top: 1.5mm; break-after: avoid; }
  h3 { font-size: 9.5pt; margin: 1.5mm 0 1mm; break-after: avoid; }
  p, .lead, figcaption, caption, dl, table { font-size: 8.5pt; }
  p { max-width: none; margin: 0.8mm 0; }
  .brand, figcaption, caption { font-size: 7.5pt; }
  .doubts, figcaption { max-width: none; }
  .doubts { margin: 0; }
  .doubts li { padding: 0.8mm 2mm; margin: 1mm 0; break-inside: avoid; }
  .doubts p { margin: 0; }
  .scroll, pre { overflow: visible; background: none; }
  caption { padding-bottom: 0.5mm; }
  th, td { padding: 0.3mm 2mm; }
  th[scope="row"], thead tr:first-child th:first-child { max-width: 60mm; }
  tr, figure { break-inside: avoid; }
  figure { margin: 0; }
  figcaption { margin-top: 1mm; }
  .columns { grid-template-columns: 1fr 1fr; gap: 0 6mm; }
  .panels { gap: 1mm 4mm; }
  .columns .panels svg { max-width: 100%; }
  .appendix { break-before: page; }
  details { border: none; padding: 0; }
}
`;

/** A whole page around `body`, which is markup. */
export const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${escape(title)} – Temper report</title>
<style>${style}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
