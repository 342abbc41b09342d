// Random colour (Di, Yu & Tian, "Towards adversarial training with moderate performance improvement"): torchvision's
// ColorJitter in a fixed order.
import { lumaOf, turnHue } from "./color.js";
import { disturbance, type Image } from "./corruption.js";

const clip = (v: number): number => Math.min(1, Math.max(0, v));

type Change = (image: Image) => Float32Array;

const scaled =
  (factor: number): Change =>
  ({ pixels }) =>
    pixels.map((x) => clip(factor * x));

/** Away from the image's mean luma, or towards it. */
const contrasted =
  (factor: number): Change =>
  (image) => {
    const luma = lumaOf(image);
    const mean = luma.reduce((a, b) => a + b, 0) / luma.length;
    return image.pixels.map((x) => clip(mean + factor * (x - mean)));
  };

/** Away from each pixel's luma, or towards it. */
const saturated =
  (factor: number): Change =>
  (image) => {
    const luma = lumaOf(image);
    return image.pixels.map((x, i) => {
      const grey = luma[i % luma.length] ?? 0;
      return clip(grey + factor * (x - grey));
    });
  };

const hueTurned =
  (turns: number): Change =>
  ({ pixels, channels }) => {
    const size = pixels.length / channels;
    const out = pixels.slice();
    for (let i = 0; i < size; i++) {
      const [red = 0, green = 0, blue = 0] = [pixels[i], pixels[size + i], pixels[2 * size + i]];
      turnHue([red, green, blue], turns).forEach((v, c) => {
        out[c * size + i] = v;
      });
    }
    return out;
  };

/**
 * Brightness, contrast and saturation times factors in 1 ± severity/10, hue turned by ± severity/50; images of one
 * channel have neither saturation nor hue. Severity 4 is the strength 0.4 that is usual with ImageNet.
 */
export const randomColor = disturbance(
  "random-color",
  "brightness, contrast, saturation ± severity/10, hue ± severity/50",
  (image, severity, random) => {
    const [bright = 0, contrast = 0, saturation = 0, hue = 0] = random.uniform(4, [-1, 1]);
    const factor = (u: number): number => 1 + (u * severity) / 10;
    const gray = [scaled(factor(bright)), contrasted(factor(contrast))];
    const color = [saturated(factor(saturation)), hueTurned((hue * severity) / 50)];
    return [...gray, ...(image.channels === 3 ? color : [])].reduce(
      (pixels, change) => change({ ...image, pixels }),
      image.pixels,
    );
  },
);
