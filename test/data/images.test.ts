// Image files: decoding and resizing equal Pillow's byte for byte, and every refusal is one line that names the file.
import { encode } from "fast-png";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { decodeImage } from "../../src/data/images/decode.js";
import { readHeader } from "../../src/data/images/header.js";
import { upright, withChannels, type Pixels } from "../../src/data/images/pixels.js";
import { prepareImage, type Extent } from "../../src/data/images/prepare.js";
import { resample, type Interpolation } from "../../src/data/images/resample.js";

const folder = join(import.meta.dirname, "../fixtures/images");
const bytesOf = (name: string): Uint8Array => readFileSync(join(folder, name));
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const rgbOf = async (name: string): Promise<Pixels> =>
  withChannels(await decodeImage(name, bytesOf(name)), 3);

interface Golden {
  readonly decoded: Record<string, { width: number; height: number; sha256: string }>;
  readonly resized: {
    interpolation: Interpolation;
    width: number;
    height: number;
    first: number[];
    sha256: string;
  }[];
  readonly prepared: {
    resize: Extent;
    crop: Extent;
    channels: 1 | 3;
    interpolation: Interpolation;
    sha256: string;
  }[];
  readonly turned: number[][][];
}
const golden = JSON.parse(readFileSync(join(folder, "golden.json"), "utf8")) as Golden;

describe("decoding gives Pillow's bytes", () => {
  it.each(Object.entries(golden.decoded))("of %s", async (name, { width, height, sha256: wanted }) => {
    const pixels = await rgbOf(name);
    expect([pixels.width, pixels.height]).toEqual([width, height]);
    expect(sha256(pixels.data)).toBe(wanted);
  });

  it("of 16 bits, rounded to 8", async () => {
    const [grey, wide] = [await rgbOf("grey.png"), await decodeImage("sixteen.png", bytesOf("sixteen.png"))];
    const wanted = withChannels(grey, 1).data.map((v) => Math.round((v * 255 + 7) / 257));
    expect(wide.data).toEqual(wanted);
    const color = encode({
      width: 2,
      height: 1,
      channels: 3,
      depth: 16,
      data: Uint16Array.of(0, 128, 129, 385, 65535, 386),
    });
    expect([...(await decodeImage("wide.png", color)).data]).toEqual([0, 0, 1, 1, 255, 2]);
  });

  it("of full colours beside a palette, which is for screens that show few", async () => {
    const plain = encode({
      width: 2,
      height: 1,
      channels: 3,
      depth: 8,
      data: Uint8Array.of(1, 2, 3, 0, 1, 2),
    });
    const palette = Buffer.concat([Buffer.from("PLTE"), Buffer.alloc(9, 200)]);
    const [size, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    size.writeUInt32BE(9);
    check.writeUInt32BE(crc32(palette));
    // The header takes 8 + 25 bytes.
    const both = Buffer.concat([plain.subarray(0, 33), size, palette, check, plain.subarray(33)]);
    expect(await decodeImage("both.png", both)).toEqual(await decodeImage("plain.png", plain));
  });

  it("whatever else is decoded meanwhile", async () => {
    const names = ["photo.jpg", "photo.webp", "turned.jpg", "photo.png", "progressive.jpg"];
    const found = await Promise.all(names.map(rgbOf));
    expect(found.map(({ data }) => sha256(data))).toEqual(names.map((name) => golden.decoded[name]?.sha256));
  });
});

describe("headers", () => {
  it("say size and orientation before anything is decoded", () => {
    const common = { width: 41, height: 33 };
    expect(readHeader(bytesOf("photo.jpg"))).toEqual({
      format: "jpeg",
      ...common,
      orientation: 1,
      components: 3,
    });
    expect(readHeader(bytesOf("grey.jpg"))?.components).toBe(1);
    for (const format of ["jpg", "png", "webp"])
      expect(readHeader(bytesOf(`turned.${format}`))).toMatchObject({ ...common, orientation: 6 });
    expect(readHeader(bytesOf("lossless.webp"))).toEqual({ format: "webp", ...common, orientation: 1 });
  });

  it("turn the image as Pillow does, for each of the eight orientations", () => {
    const stored = { width: 3, height: 2, channels: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
    const turned = golden.turned.map((_, i) => {
      const { width, data } = upright(stored, i + 1);
      return Array.from({ length: 6 / width }, (_row, y) => [...data.subarray(y * width, (y + 1) * width)]);
    });
    expect(turned).toEqual(golden.turned);
  });
});

describe("resizing gives Pillow's bytes", () => {
  it.each(golden.resized)(
    "$interpolation to $height × $width",
    async ({ interpolation, first, sha256: wanted, ...size }) => {
      const { data } = resample(await rgbOf("photo.png"), size, interpolation);
      expect([...data.subarray(0, first.length)]).toEqual(first.slice(0, data.length));
      expect(sha256(data)).toBe(wanted);
    },
  );

  it.each(golden.prepared)("resize $resize, crop $crop, $channels channels, $interpolation", async (each) => {
    const { resize, crop, channels, interpolation } = each;
    const [height, width] = typeof crop === "number" ? [crop, crop] : crop;
    const photo = await rgbOf("photo.png");
    const out = prepareImage("photo.png", photo, [channels, height, width], { resize, crop, interpolation });
    expect(sha256(out)).toBe(each.sha256);
  });
});

describe("refusals name the file", () => {
  const plain = { interpolation: "bilinear" } as const;
  const cut = (name: string): Uint8Array => bytesOf(name).subarray(0, 400);
  const edited = (name: string, at: number, change: (byte: number) => number): Uint8Array => {
    const bytes = Uint8Array.from(bytesOf(name));
    bytes[at] = change(bytes[at] ?? 0);
    return bytes;
  };
  /** Where cmyk.jpg has its frame. */
  const frame = 87;
  const huge = Uint8Array.from(bytesOf("photo.png"));
  huge.set([0, 1, 0, 0, 0, 1, 0, 0], 16);

  it.each([
    [new Uint8Array(), "expected a JPEG, PNG or WebP image, got an empty file"],
    [
      new TextEncoder().encode("GIF89a and so on"),
      "expected a JPEG, PNG or WebP image, got another or a damaged file",
    ],
    [
      bytesOf("photo.jpg").subarray(0, 100),
      "expected a JPEG, PNG or WebP image, got another or a damaged file",
    ],
    [
      bytesOf("photo.jpg").subarray(0, 1000),
      "expected a whole JPEG image, got a damaged one (Premature end of JPEG file)",
    ],
    [cut("photo.webp"), "expected a whole WEBP image, got a damaged one (Decoding error)"],
    [bytesOf("moving.webp"), "expected a whole WEBP image, got a damaged one (Decoding error)"],
    [
      edited("photo.png", 200, (byte) => byte ^ 0xff),
      /^x: expected a whole PNG image, got a damaged one \(CRC mismatch for chunk IDAT/,
    ],
    [
      Uint8Array.from(bytesOf("photo.png")).with(24, 4).with(28, 1),
      "expected a PNG image that is not interlaced, or of at least 8 bits, got an interlaced one of 4",
    ],
    [cut("photo.png"), /^x: expected a whole PNG image, got a damaged one \(/],
    [cut("cmyk.jpg"), "expected a whole JPEG image, got a damaged one (its blocks cannot be told apart)"],
    [
      bytesOf("ycck-sampled.jpg").subarray(0, 1200),
      /^x: expected a whole JPEG image, got a damaged one \(its/,
    ],
    [
      edited("cmyk.jpg", frame + 1, () => 0xc9),
      "expected a CMYK JPEG in sequential or progressive Huffman code, got another code",
    ],
    [
      edited("cmyk.jpg", frame + 20, () => 0x22),
      "expected a CMYK JPEG with no component finer than the first, got a finer one",
    ],
    [huge, "expected an image of 1 to 134217728 pixels, got 65536×65536"],
  ])("%#", async (bytes, message) => {
    const wanted = typeof message === "string" ? `x: ${message}` : message;
    await expect(decodeImage("x", bytes)).rejects.toThrow(wanted);
  });

  it("where the size does not fit", async () => {
    const photo = await rgbOf("photo.jpg");
    expect(() => prepareImage("x", photo, [3, 20, 20], plain)).toThrow(
      "x: expected an image of 20×20, got 33×41 (height × width); give resize and crop",
    );
    expect(() => prepareImage("x", photo, [3, 20, 20], { ...plain, crop: 40 })).toThrow(
      "x: expected an image of at least 40×40 (height × width) for the crop, got 33×41 (height × width); a larger resize would do",
    );
    expect(() => prepareImage("x", photo, [3, 20, 20], { ...plain, resize: 24 })).toThrow(
      "x: expected an image of 20×20, got 24×29 (height × width), resized and cropped",
    );
    expect(() => prepareImage("x", photo, [4, 33, 41], plain)).toThrow(
      "x: expected a model of 1 or 3 channels, got 4",
    );
  });
});
