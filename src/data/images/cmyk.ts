// CMYK and YCCK JPEGs as RGB, as Pillow's convert("RGB") makes it: inks are taken as stored inverted, as Adobe does.
import type { Pixels } from "./pixels.js";
import { withoutComponent } from "./jpeg-components.js";

/** a·b/255, rounded. */
const product = (a: number, b: number): number => {
  const x = a * b + 128;
  return (x + (x >> 8)) >> 8;
};

/** Whether the first three numbers are YCbCr: an Adobe marker says so by any transform but 0. */
function isYcck(bytes: Uint8Array): boolean {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (
    let at = 2;
    at + 4 <= bytes.length && view.readUInt8(at + 1) !== 0xda;
    at += 2 + view.readUInt16BE(at + 2)
  ) {
    while (at + 4 < bytes.length && view.readUInt8(at + 1) === 0xff) at++;
    const isAdobe = view.readUInt8(at + 1) === 0xee && view.toString("latin1", at + 4, at + 9) === "Adobe";
    if (isAdobe && at + 16 <= bytes.length) return view.readUInt8(at + 15) !== 0;
  }
  return false;
}

/**
 * A JPEG of four components as RGBA by `decode`, which knows three: two files are decoded, one without black and one
 * with it. With c, m, y, k from 0 to 255: (255 − k) − c·(255 − k)/255, and so on.
 */
export async function decodeCmyk(
  path: string,
  bytes: Uint8Array,
  decode: (bytes: Uint8Array) => Promise<Pixels>,
): Promise<Pixels> {
  const ycck = isYcck(bytes);
  const colors = await decode(withoutComponent(path, bytes, { left: 3, transform: ycck ? 1 : 0 }));
  const { data: black } = await decode(withoutComponent(path, bytes, { left: 1, transform: 0 }));
  const data = colors.data.map((value, i) => {
    if (i % 4 === 3) return 255;
    // Stored numbers are 255 − ink; where they are YCbCr, that of RGB = 255 − CMY, RGB is the ink as it is read.
    const light = black[4 * (i >> 2) + 2] ?? 0;
    return light - product(ycck ? value : 255 - value, light);
  });
  return { ...colors, data };
}
