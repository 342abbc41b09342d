// The images of an audit that fell worst: to the strongest attack, at the smallest radius at which any fell.
import type { ImageShape } from "../data/index.js";
import type { Evaluation, Examples, RobustRecord } from "../evaluation/records.js";
import type { Gallery } from "./run-record.js";

/** As many as a figure shows. */
export const worstShown = 8;

/** What `attack` left at its own radii; for attacks that look for the nearest point, of the nearest points. */
const examplesOf = (
  all: readonly Examples[],
  { attack, norm, epsilon }: RobustRecord,
): Examples | undefined => {
  const own = all.filter((examples) => examples.attack === attack && examples.norm === norm);
  return own.find((examples) => examples.epsilon === epsilon) ?? own[0];
};

/** The attack that left least at the smallest radius at which any image fell. */
function strongest({
  clean,
  robust,
  worst,
}: Pick<Evaluation, "clean" | "robust" | "worst">): Examples | undefined {
  const fell = robust.filter(
    ({ attack, suite, epsilon, accuracy }) =>
      attack !== "worst-case" && suite === undefined && epsilon > 0 && accuracy < clean,
  );
  const least = Math.min(...fell.map(({ epsilon }) => epsilon));
  const rivals = fell.filter(({ epsilon }) => epsilon === least).toSorted((a, b) => a.accuracy - b.accuracy);
  // Of equals the last: attacks are named from the weakest to the strongest.
  const best = rivals.findLast(({ accuracy }) => accuracy === rivals[0]?.accuracy);
  return best ? examplesOf(worst, best) : worst[0];
}

/** Null where nothing fell. */
export function worstImages(
  found: Pick<Evaluation, "clean" | "robust" | "worst">,
  { imageShape, title }: { readonly imageShape: ImageShape; readonly title: string },
): Gallery | null {
  const examples = strongest(found);
  if (examples === undefined) return null;
  const { attack, norm, epsilon, ...images } = examples;
  return {
    ...{ trial: title, method: title, seed: 0, imageShape },
    attack: { attack, norm, epsilon },
    ...images,
    features: null,
  };
}
