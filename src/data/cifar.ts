// The binary form of CIFAR: records of one label (CIFAR-10) or two (CIFAR-100: coarse, fine) and 3·32·32 pixels.
import { check } from "../base/errors.js";
import { checkLabels, imageSize, type LoadedFile, type Split } from "./dataset.js";

export const cifarShape = [3, 32, 32] as const;
const pixels = imageSize(cifarShape);

export interface CifarForm {
  /** Label bytes before the pixels. */
  readonly labels: 1 | 2;
  /** Which of them is read. */
  readonly label: 0 | 1;
  readonly classes: number;
}

/** Joins the records of `files`, in order. Throws on files that do not hold whole records or have labels out of range. */
export function readCifar(files: readonly LoadedFile[], { labels, label, classes }: CifarForm): Split {
  const record = labels + pixels;
  const counts = files.map(({ path, bytes }) => {
    const isWhole = bytes.length > 0 && bytes.length % record === 0;
    check(isWhole, path, `whole records of ${record} bytes`, () => `${bytes.length} bytes`);
    return bytes.length / record;
  });
  const count = counts.reduce((total, one) => total + one, 0);
  const split = { images: new Uint8Array(count * pixels), labels: new Uint8Array(count), count };
  let row = 0;
  for (const [i, { path, bytes }] of files.entries()) {
    const first = row;
    for (let from = 0; from < bytes.length; from += record, row++) {
      split.labels[row] = bytes[from + label] ?? 0;
      split.images.set(bytes.subarray(from + labels, from + record), row * pixels);
    }
    checkLabels(path, split.labels.subarray(first, first + (counts[i] ?? 0)), classes);
  }
  return split;
}
