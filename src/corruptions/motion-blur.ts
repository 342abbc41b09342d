// Motion blur (Hendrycks & Dietterich 2019): the camera moves.
import { byChannel, common } from "./corruption.js";
import { motionBlurred } from "./motion.js";

interface Motion {
  readonly radius: number;
  readonly sigma: number;
}

const motion = (radius: number, sigma: number): Motion => ({ radius, sigma });

/** Blur along a line at an angle drawn from [−45°, 45°). */
export const motionBlur = common(
  "motion-blur",
  "blur",
  "a moving camera, within 45° of level",
  {
    "cifar-10-c": [motion(6, 1), motion(6, 1.5), motion(6, 2), motion(8, 2), motion(9, 2.5)],
    "tiny-imagenet-c": [motion(10, 1), motion(10, 1.5), motion(10, 2), motion(10, 2.5), motion(12, 3)],
    "imagenet-c": [motion(10, 3), motion(15, 5), motion(15, 8), motion(15, 12), motion(20, 15)],
  },
  (image, line, random) => {
    const [angle = 0] = random.uniform(1, [-45, 45]);
    return byChannel(image, (values) => motionBlurred({ ...image, values }, { ...line, angle }));
  },
);
