// Random flip (Di, Yu & Tian, "Towards adversarial training with moderate performance improvement"; no parameters there).
import { byChannel, disturbance } from "./corruption.js";

/** Left and right exchanged in a share of the images: a tenth at severity 1, half at 5. */
export const randomFlip = disturbance(
  "random-flip",
  "left and right exchanged in severity/10 of the images",
  (image, severity, random) => {
    const [u = 0] = random.uniform(1);
    if (u >= severity / 10) return image.pixels;
    const { width } = image;
    return byChannel(image, (values) => values.map((_, i) => values[i - 2 * (i % width) + width - 1] ?? 0));
  },
);
