// A thread that reads images: paths in, prepared bytes out, one after the other.
import { parentPort, workerData } from "node:worker_threads";
import { readImage, type ImageForm } from "./read-image.js";

/** The bytes of an image, or why there are none. */
export type Answer = { readonly bytes: Uint8Array<ArrayBuffer> } | { readonly error: string };

const form = workerData as ImageForm;

parentPort?.on("message", (path: string) => {
  readImage(path, form).then(
    (image) => {
      const bytes = Uint8Array.from(image);
      parentPort?.postMessage({ bytes } satisfies Answer, [bytes.buffer]);
    },
    (error: unknown) => {
      const said = error instanceof Error ? error.message : String(error);
      parentPort?.postMessage({ error: said } satisfies Answer);
    },
  );
});
