// Shot noise (Hendrycks & Dietterich 2019): light comes in whole photons.
import { common } from "./corruption.js";

/** The least k with P(Poisson(mean) ≤ k) ≥ `share`; `mean` up to 700. */
function poissonQuantile(mean: number, share: number): number {
  let probability = Math.exp(-mean);
  let sum = probability;
  let k = 0;
  while (sum < share && probability > 0) {
    k++;
    probability *= mean / k;
    sum += probability;
  }
  return k;
}

/** The middle of the steps in which uniform numbers come, so that none is 0. */
const halfStep = 2 ** -25;

/** Poisson(photons·x) / photons at each value. */
export const shotNoise = common(
  "shot-noise",
  "noise",
  "Poisson noise: few photons a pixel",
  {
    "cifar-10-c": [500, 250, 100, 75, 50],
    "tiny-imagenet-c": [250, 100, 50, 30, 15],
    "imagenet-c": [60, 25, 12, 5, 3],
  },
  ({ pixels }, photons, random) => {
    const shares = random.uniform(pixels.length);
    return pixels.map((x, i) => poissonQuantile(photons * x, (shares[i] ?? 0) + halfStep) / photons);
  },
);
