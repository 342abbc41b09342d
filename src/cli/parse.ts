// Values of options and arguments, checked while the command line is read.
import { InvalidArgumentError } from "commander";

const refuse = (expected: string): never => {
  throw new InvalidArgumentError(`Expected ${expected}.`);
};

/** A whole number in [min, max]. */
export const whole =
  (min: number, max = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = /^\d+$/.test(text.trim()) ? Number(text) : NaN;
    const range = max < Number.MAX_SAFE_INTEGER ? `from ${min} to ${max}` : `of at least ${min}`;
    return value >= min && value <= max ? value : refuse(`a whole number ${range}`);
  };

/** A finite number of at least 0. */
export function amount(text: string): number {
  const value = text.trim() === "" ? NaN : Number(text);
  return Number.isFinite(value) && value >= 0 ? value : refuse("a number of at least 0");
}

/** `a,b` and repeated options, as one list. */
export function words(text: string, before: readonly string[] = []): string[] {
  const found = text.split(",").map((word) => word.trim());
  return found.every((word) => word !== "") ? [...before, ...found] : refuse("words separated by commas");
}

/** `1,3` and repeated options, as one list of whole numbers in [min, max]. */
export const wholes =
  (min: number, max: number) =>
  (text: string, before: readonly number[] = []): number[] => [
    ...before,
    ...words(text).map(whole(min, max)),
  ];

/** An option that may be given again and again. */
export const repeated = (text: string, before: readonly string[] = []): string[] => [...before, text];
