// Numbers of bytes as they are read.
const units = ["B", "kB", "MB", "GB", "TB"] as const;

/** 47040016 → `47.0 MB`. */
export function bytesText(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${power === 0 ? bytes : (bytes / 1000 ** power).toFixed(1)} ${units[power] ?? ""}`;
}
