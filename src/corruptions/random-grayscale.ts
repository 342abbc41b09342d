// Random greyscale (Di, Yu & Tian, "Towards adversarial training with moderate performance improvement").
import { lumaOf } from "./color.js";
import { disturbance } from "./corruption.js";

/** Colours become grey of the same luma in a share of the images: a fifth at severity 1, all at 5. */
export const randomGrayscale = disturbance(
  "random-grayscale",
  "colours turned grey in severity/5 of the images",
  (image, severity, random) => {
    const [u = 0] = random.uniform(1);
    if (u >= severity / 5) return image.pixels;
    const luma = lumaOf(image);
    return image.pixels.map((_, i) => luma[i % luma.length] ?? 0);
  },
  { colorOnly: true },
);
