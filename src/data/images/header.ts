// What the headers of JPEG, PNG and WebP files say before anything is decoded: format, size, EXIF orientation.
// ITU-T T.81 (JPEG markers), ISO/IEC 15948 (PNG chunks), RFC 9649 (WebP), CIPA DC-008 (EXIF).

export interface ImageHeader {
  readonly format: "jpeg" | "png" | "webp";
  readonly width: number;
  readonly height: number;
  /** How the stored image is to be turned, 1 (as it is) to 8. */
  readonly orientation: number;
  /** Numbers a pixel that the file stores; JPEG only. */
  readonly components?: number;
}

type Size = Pick<ImageHeader, "width" | "height" | "components">;
type View = DataView;

const text = (view: View, at: number, length: number): string =>
  String.fromCharCode(...Array.from({ length }, (_, i) => view.getUint8(at + i)));

const part = (view: View, at: number, length: number): View =>
  new DataView(view.buffer, view.byteOffset + at, Math.min(length, view.byteLength - at));

/** The orientation in a TIFF block as EXIF has it, 1 where there is none. */
function orientationOf(tiff: View): number {
  const little = text(tiff, 0, 2) === "II";
  const directory = tiff.getUint32(4, little);
  const entries = tiff.getUint16(directory, little);
  for (let i = 0; i < entries; i++) {
    const at = directory + 2 + 12 * i;
    if (tiff.getUint16(at, little) !== 0x0112) continue;
    const value = tiff.getUint16(at + 8, little);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

/** `orientationOf`, where a damaged block counts as none: the image itself may well be whole. */
function orientationIn(tiff: View): number {
  try {
    return orientationOf(tiff);
  } catch {
    return 1;
  }
}

const exifMark = "Exif\0\0";
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/** Segments up to the first scan. */
function jpegHeader(view: View): ImageHeader {
  let [at, orientation] = [2, 1];
  let size: Size | null = null;
  for (;;) {
    while (view.getUint8(at + 1) === 0xff) at++;
    const marker = view.getUint8(at + 1);
    if (marker === 0xda && size !== null) return { format: "jpeg", orientation, ...size };
    const length = view.getUint16(at + 2);
    if (isFrame(marker))
      size = {
        height: view.getUint16(at + 5),
        width: view.getUint16(at + 7),
        components: view.getUint8(at + 9),
      };
    if (marker === 0xe1 && length >= 8 && text(view, at + 4, 6) === exifMark)
      orientation = orientationIn(part(view, at + 10, length - 8));
    at += 2 + length;
  }
}

function pngHeader(view: View): ImageHeader {
  let orientation = 1;
  for (let at = 8; at + 8 <= view.byteLength;) {
    const length = view.getUint32(at);
    if (text(view, at + 4, 4) === "eXIf") orientation = orientationIn(part(view, at + 8, length));
    at += 12 + length;
  }
  return { format: "png", width: view.getUint32(16), height: view.getUint32(20), orientation };
}

const uint24 = (view: View, at: number): number => view.getUint16(at, true) + (view.getUint8(at + 2) << 16);

function webpSize(view: View): Size {
  const kind = text(view, 12, 4);
  if (kind === "VP8X") return { width: 1 + uint24(view, 24), height: 1 + uint24(view, 27) };
  if (kind === "VP8L") {
    const bits = view.getUint32(21, true);
    return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
  }
  return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
}

function webpHeader(view: View): ImageHeader {
  let orientation = 1;
  for (let at = 12; at + 8 <= view.byteLength;) {
    const length = view.getUint32(at + 4, true);
    if (text(view, at, 4) === "EXIF") {
      const marked = length >= 6 && text(view, at + 8, 6) === exifMark ? 6 : 0;
      orientation = orientationIn(part(view, at + 8 + marked, length - marked));
    }
    at += 8 + length + (length & 1);
  }
  return { format: "webp", orientation, ...webpSize(view) };
}

/** The header of an image file by its first bytes, whatever it is called; null where it is none or cut short. */
export function readHeader(bytes: Uint8Array): ImageHeader | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (view.getUint16(0) === 0xffd8) return jpegHeader(view);
    if (view.getUint32(0) === 0x89504e47) return pngHeader(view);
    return text(view, 0, 4) === "RIFF" && text(view, 8, 4) === "WEBP" ? webpHeader(view) : null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
