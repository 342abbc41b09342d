// One image of a folder: read, decoded, prepared.
import { readFile } from "node:fs/promises";
import { fail } from "../../base/errors.js";
import type { ImageShape } from "../dataset.js";
import { errorCode } from "../disk.js";
import { decodeImage } from "./decode.js";
import { prepareImage, type Geometry } from "./prepare.js";

/** What an image becomes. */
export interface ImageForm {
  readonly imageShape: ImageShape;
  readonly geometry: Geometry;
}

/** The image at `path` as bytes [channels, height, width]; throws one line that names it. */
export async function readImage(path: string, { imageShape, geometry }: ImageForm): Promise<Uint8Array> {
  const file = await readFile(path).catch((error: unknown) =>
    fail(path, "an image that can be read", errorCode(error) ?? String(error)),
  );
  return prepareImage(path, await decodeImage(path, file), imageShape, geometry);
}
