// Radii for those who give none: the ones at which robustness is usually quoted, by norm and kind of image.
import type { ImageShape } from "../data/dataset.js";
import type { NormName } from "../threat/find.js";

type ImageKind = "small gray" | "small colour" | "large";

/**
 * Small gray images: Maini, Wong & Kolter 2020 on MNIST, in L∞ 0.1 as well, where theirs leave little; others: Croce &
 * Hein 2022 ("Adversarial robustness against multiple and single ℓp-threat models") on CIFAR-10 and ImageNet. L0: Schott et
 * al. 2019 on MNIST; Croce et al. 2022 ("Sparse-RS"), 24 and 50 pixels of three numbers each.
 */
const usual: Readonly<Record<ImageKind, Readonly<Record<NormName, readonly number[]>>>> = {
  "small gray": { linf: [0.1, 0.3], l2: [2], l1: [10], l0: [12] },
  "small colour": { linf: [8 / 255], l2: [0.5], l1: [12], l0: [72] },
  large: { linf: [4 / 255], l2: [2], l1: [255], l0: [150] },
};

/** Pixels up to which images count as small. */
const small = 64 * 64;

export interface UsualRadii {
  /** Input units; in L0 input elements. */
  readonly epsilons: readonly number[];
  /** What they are usual for. */
  readonly kind: ImageKind;
}

/** The usual radii for images of this shape. */
export function usualRadii([channels, height, width]: ImageShape, norm: NormName): UsualRadii {
  const kind = height * width > small ? "large" : channels === 1 ? "small gray" : "small colour";
  return { epsilons: usual[kind][norm], kind };
}
