// What methods and trials are called: in folders, records, reports and on the command line.

/** Whose result something is. */
export interface Origin {
  /** The case of the recipe, where it has cases. */
  readonly case?: string | undefined;
  readonly method: string;
}

/** `method`, or `case.method`. */
export const methodName = ({ case: of, method }: Origin): string =>
  of === undefined ? method : `${of}.${method}`;

/** `method-seedN`, or `case.method-seedN`. */
export const trialName = (origin: Origin & { readonly seed: number }): string =>
  `${methodName(origin)}-seed${origin.seed}`;
