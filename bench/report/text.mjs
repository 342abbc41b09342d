// Numbers and tables as Markdown.
export const digits = (value) =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
export const percent = (value) => `${(100 * value).toFixed(1)} %`;
export const whole = (value) => Math.round(value).toLocaleString("en");
/** Bytes as MiB. */
export const mebibytes = (bytes) => whole(bytes / 2 ** 20);
/** Milliseconds, with as many digits as say something; seconds where there are many. */
export const duration = (value) => (value >= 10_000 ? `${digits(value / 1000)} s` : digits(value));

const absent = "–";

/** `format(value)`, or a dash. */
export const cell = (value, format = String) =>
  value === undefined || value === null ? absent : format(value);

/** `1.23 (1.20–1.31)`. */
export const spreadText = (spread, format = digits) =>
  cell(spread, ({ median, min, max }) => `${format(median)} (${format(min)}–${format(max)})`);

export const medianText = (spread, format = digits) => cell(spread, ({ median }) => format(median));

export function table(header, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rule = header.map((_, i) => (i === 0 ? "---" : "---:"));
  return [header, rule, ...rows].map(line).join("\n");
}

/** A section with a heading; none without rows. */
export const section = (title, rows, body) => (rows.length === 0 ? "" : `## ${title}\n\n${body}\n`);
