// Random five-crop (Di, Yu & Tian, "Towards adversarial training with moderate performance improvement").
import { byChannel, disturbance } from "./corruption.js";
import { cropSide } from "./random-crop.js";
import { stretched } from "./resample.js";

/** Where the five crops lie: down and right, as shares of the room there is. */
export const corners = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
  [0.5, 0.5],
] as const;

/** One of the four corners or the middle, enlarged to the whole image. */
export const fiveCrop = disturbance(
  "five-crop",
  "a corner or the middle, enlarged; severity 3 keeps 7/8 of each side",
  (image, severity, random) => {
    const [height, width] = [cropSide(image.height, severity), cropSide(image.width, severity)];
    const [u = 0] = random.uniform(1);
    const [down, right] = corners[Math.floor(u * corners.length)] ?? corners[4];
    const top = Math.round(down * (image.height - height));
    const left = Math.round(right * (image.width - width));
    return byChannel(image, (values) => stretched({ ...image, values }, { top, left, height, width }));
  },
);
