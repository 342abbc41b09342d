// Random crop (Di, Yu & Tian, "Towards adversarial training with moderate performance improvement"; no parameters there).
import { byChannel, disturbance, type Severity } from "./corruption.js";
import { stretched } from "./resample.js";

/** Pixels that a crop leaves of `n`: 23/24 at severity 1, 21/24 = 224/256 at 3, 19/24 at 5. */
export const cropSide = (n: number, severity: Severity): number => Math.round((n * (24 - severity)) / 24);

/** A window anywhere in the image, enlarged to the whole of it. */
export const randomCrop = disturbance(
  "random-crop",
  "a window anywhere, enlarged; severity 3 keeps 7/8 of each side",
  (image, severity, random) => {
    const [height, width] = [cropSide(image.height, severity), cropSide(image.width, severity)];
    const [u = 0, v = 0] = random.uniform(2);
    const top = Math.floor(u * (image.height - height + 1));
    const left = Math.floor(v * (image.width - width + 1));
    return byChannel(image, (values) => stretched({ ...image, values }, { top, left, height, width }));
  },
);
