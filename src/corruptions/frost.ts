// Frost (Hendrycks & Dietterich 2019) – with drawn ice: theirs is cropped from five photographs that Temper does not have.
import { common } from "./corruption.js";
import { crystals } from "./crystals.js";

/** Shares of image and ice; ice is a little blue, as it is on the mean of the photographs. */
const tint = [0.92, 1.03, 1.1] as const;

/** image·x + ice·crystals. Its figures cannot be compared with published ones: the pattern is not the same. */
export const frost = common(
  "frost",
  "weather",
  "ice on the pane; drawn, so not comparable with published figures",
  {
    "cifar-10-c": [
      [1, 0.2],
      [1, 0.3],
      [0.9, 0.4],
      [0.85, 0.4],
      [0.75, 0.45],
    ],
    "tiny-imagenet-c": [
      [1, 0.3],
      [0.9, 0.4],
      [0.8, 0.45],
      [0.75, 0.5],
      [0.7, 0.55],
    ],
    "imagenet-c": [
      [1, 0.4],
      [0.8, 0.6],
      [0.7, 0.7],
      [0.65, 0.7],
      [0.6, 0.75],
    ],
  },
  ({ pixels, channels, height, width }, [share, iceShare]: readonly [number, number], random) => {
    const ice = crystals(height, width, random);
    return pixels.map((x, i) => {
      const shade = channels === 1 ? 1 : (tint[Math.floor(i / ice.length)] ?? 1);
      return share * x + iceShare * Math.min(1, shade * (ice[i % ice.length] ?? 0));
    });
  },
);
