// JPEG compression (Hendrycks & Dietterich 2019).
import { byChannel, common } from "./corruption.js";
import { jpegColor, jpegGray } from "./jpeg.js";

/** The image, rounded to 8 bits, after JPEG at some quality; colour at half resolution. */
export const jpegCompression = common(
  "jpeg-compression",
  "digital",
  "what JPEG leaves at low quality",
  {
    "cifar-10-c": [80, 65, 58, 50, 40],
    "tiny-imagenet-c": [65, 58, 50, 40, 25],
    "imagenet-c": [25, 18, 15, 10, 7],
  },
  (image, quality) => {
    const { channels, height, width } = image;
    const size = height * width;
    const bytes = image.pixels.map((x) => Math.round(x * 255));
    if (channels === 1)
      return byChannel({ ...image, pixels: bytes }, (values) =>
        jpegGray({ values, height, width }, quality),
      ).map((v) => v / 255);
    const channel = (c: number): Float32Array => bytes.subarray(c * size, (c + 1) * size);
    const planes = jpegColor([channel(0), channel(1), channel(2)], { height, width, quality });
    return image.pixels.map((_, i) => (planes[Math.floor(i / size)]?.[i % size] ?? 0) / 255);
  },
);
