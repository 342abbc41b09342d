// JPEG, PNG and WebP files as pixels: libjpeg and libwebp compiled to WebAssembly, PNG in JavaScript.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { check, fail, TemperError } from "../../base/errors.js";
import { decodeCmyk } from "./cmyk.js";
import { readHeader, type ImageHeader } from "./header.js";
import { upright, type Pixels } from "./pixels.js";

/** Pixels that a file may declare: more is taken for damage or malice, not decoded. */
const mostPixels = 2 ** 27;

/** Puts what the codec says on its stderr into `said`. */
type Decode = (bytes: Uint8Array, said: string[]) => Promise<Pixels>;

/** The codecs take the file alone in a buffer of its own. */
const alone = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;

const rgba = ({ data, width, height }: ImageData): Pixels => ({
  width,
  height,
  channels: 4,
  data: new Uint8Array(data.buffer, data.byteOffset, data.length),
});

const compiled = async (path: string): Promise<WebAssembly.Module> =>
  WebAssembly.compile(await readFile(createRequire(import.meta.url).resolve(path)));

let heard: string[] = [];
/** Emscripten's module option for what goes to stderr; the packages' types leave it out. */
const listening = { printErr: (line: string) => void heard.push(line) } as object;

/** Files are decoded one after the other, so that it is known whose complaint is heard. */
let turn: Promise<unknown> = Promise.resolve();

/** Loads a codec once, at its first use. */
function codec(load: () => Promise<(file: ArrayBuffer) => Promise<ImageData>>): Decode {
  let loading: ReturnType<typeof load> | undefined;
  return (bytes, said) => {
    const decoded = turn.then(async () => {
      const decode = await (loading ??= load());
      heard = said;
      return rgba(await decode(alone(bytes)));
    });
    turn = decoded.catch(() => undefined);
    return decoded;
  };
}

const jpeg = codec(async () => {
  const { default: decode, init } = await import("@jsquash/jpeg/decode.js");
  const start = init as (module: WebAssembly.Module, options: object) => Promise<void>;
  await start(await compiled("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm"), listening);
  return (file) => decode(file);
});

const webp = codec(async () => {
  const { default: decode, init } = await import("@jsquash/webp/decode.js");
  const start = init as (module: WebAssembly.Module, options: object) => Promise<void>;
  await start(await compiled("@jsquash/webp/codec/dec/webp_dec.wasm"), listening);
  return (file) => decode(file);
});

/** Numbers of `depth` bits, packed row by row, one to a byte. */
function unpacked(data: Uint8Array, width: number, height: number, depth: number): Uint8Array {
  const out = new Uint8Array(width * height);
  const row = Math.ceil((width * depth) / 8);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      const byte = data[y * row + (bit >> 3)] ?? 0;
      out[y * width + x] = (byte >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
    }
  return out;
}

/** Depth in bits, kind of colours and interlacing, from a PNG's first chunk. */
const pngKind = (bytes: Uint8Array) => ({
  depth: bytes[24] ?? 8,
  isPalette: bytes[25] === 3,
  isInterlaced: bytes[28] === 1,
});

const png: Decode = async (bytes) => {
  const { decode } = await import("fast-png");
  const { width, height, channels, depth, data, palette } = decode(bytes, { checkCrc: true });
  if (data instanceof Uint16Array)
    return { width, height, channels, data: Uint8Array.from(data, (v) => Math.round(v / 257)) };
  const bytesOf = new Uint8Array(data.buffer, data.byteOffset, data.length);
  const values = depth < 8 ? unpacked(bytesOf, width, height, depth) : bytesOf;
  // Images of full colours may have a palette too, for screens that show few.
  if (pngKind(bytes).isPalette) {
    if (palette === undefined) throw new Error("no palette");
    const colors = Uint8Array.from(values.length === 0 ? [] : { length: 3 * values.length }, () => 0);
    values.forEach((v, i) => colors.set((palette[v] ?? []).slice(0, 3), 3 * i));
    return { width, height, channels: 3, data: colors };
  }
  const spread = 255 / (2 ** depth - 1);
  return { width, height, channels, data: depth < 8 ? values.map((v) => v * spread) : values };
};

const decoders: Readonly<Record<ImageHeader["format"], Decode>> = { jpeg, png, webp };

/** What libjpeg says of a file that it fills up with grey. */
const damage = /premature end|bad huffman/i;

/** Pixels of 1 to 4 channels (grey, grey and alpha, RGB, RGB and alpha) as stored. */
async function decodeStored(
  path: string,
  bytes: Uint8Array,
  { format, components }: ImageHeader,
): Promise<Pixels> {
  const said: string[] = [];
  if (format === "png") {
    const { depth, isInterlaced } = pngKind(bytes);
    const wanted = "a PNG image that is not interlaced, or of at least 8 bits";
    check(depth >= 8 || !isInterlaced, path, wanted, () => `an interlaced one of ${depth}`);
  }
  const broken = (reason: string): never => fail(path, `a whole ${format.toUpperCase()} image`, reason);
  try {
    const decode = (file: Uint8Array): Promise<Pixels> => decoders[format](file, said);
    const pixels = await (components === 4 ? decodeCmyk(path, bytes, decode) : decode(bytes));
    const complaint = said.find((line) => damage.test(line));
    return complaint === undefined ? pixels : broken(`a damaged one (${complaint})`);
  } catch (error) {
    if (error instanceof TemperError) throw error;
    const reason = said.at(-1) ?? (error instanceof Error ? error.message : "");
    return broken(`a damaged one${reason === "" ? "" : ` (${reason.split("\n")[0] ?? ""})`}`);
  }
}

/**
 * The image in the bytes of a JPEG, PNG or WebP file, recognised by its first bytes and turned upright by its EXIF
 * orientation. 16-bit PNG is rounded to 8 bits, CMYK becomes RGB; colour profiles are not applied. Throws one line that
 * names `path` where it is none, damaged or an animation.
 */
export async function decodeImage(path: string, bytes: Uint8Array): Promise<Pixels> {
  const header = readHeader(bytes);
  if (header === null)
    return fail(
      path,
      "a JPEG, PNG or WebP image",
      bytes.length === 0 ? "an empty file" : "another or a damaged file",
    );
  const { width, height } = header;
  const size = width * height;
  check(size >= 1 && size <= mostPixels, path, `an image of 1 to ${mostPixels} pixels`, () => {
    return `${width}×${height}`;
  });
  return upright(await decodeStored(path, bytes, header), header.orientation);
}
