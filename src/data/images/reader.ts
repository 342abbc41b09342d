// Images read in threads of their own, as many at a time as there are threads.
import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { TemperError } from "../../base/errors.js";
import { readImage, type ImageForm } from "./read-image.js";
import type { Answer } from "./reader-worker.js";

export interface ImageReader {
  /** The image at `path` as bytes [channels, height, width]; throws one line that names it. */
  read(path: string): Promise<Uint8Array>;
  close(): Promise<void>;
}

interface Task {
  readonly path: string;
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/** A thread, started at its first task. Between tasks it does not keep the process alive. */
function lane(file: URL, form: ImageForm, next: () => Task | undefined) {
  let worker: Worker | undefined;
  let task: Task | undefined;
  const fail = (error: Error): void => {
    task?.reject(error);
    task = undefined;
  };
  const turn = (): void => {
    if (task !== undefined) return;
    task = next();
    if (task === undefined) return void worker?.unref();
    worker ??= start();
    worker.ref();
    worker.postMessage(task.path);
  };
  const start = (): Worker => {
    const started = new Worker(file, { workerData: form });
    started.on("message", (answer: Answer) => {
      if ("error" in answer) fail(new TemperError(answer.error));
      else task?.resolve(answer.bytes);
      task = undefined;
      turn();
    });
    started.on("error", fail);
    started.on("exit", (code) => {
      worker = undefined;
      fail(new TemperError(`image reader: the thread ended (code ${code})`));
      turn();
    });
    return started;
  };
  return { turn, close: async () => void (await worker?.terminate()) };
}

/** Reads one image after the other in this thread. */
function readerHere(form: ImageForm): ImageReader {
  let turn: Promise<unknown> = Promise.resolve();
  const read = (path: string): Promise<Uint8Array> => {
    const image = turn.then(() => readImage(path, form));
    turn = image.catch(() => undefined);
    return image;
  };
  return { read, close: () => Promise.resolve() };
}

/** Reads images in `threads` threads; 0, or where the package runs from its sources: in this one. */
export function imageReader(form: ImageForm, threads: number): ImageReader {
  const file = new URL("./reader-worker.js", import.meta.url);
  if (threads === 0 || !existsSync(file)) return readerHere(form);
  const queue: Task[] = [];
  let first = 0;
  const next = (): Task | undefined => {
    const task = queue[first++];
    if (task !== undefined) return task;
    queue.length = 0;
    first = 0;
    return undefined;
  };
  const lanes = Array.from({ length: threads }, () => lane(file, form, next));
  return {
    read: (path) =>
      new Promise((resolve, reject) => {
        queue.push({ path, resolve, reject });
        for (const { turn } of lanes) turn();
      }),
    close: async () => {
      for (const { reject } of queue.splice(first)) reject(new TemperError("image reader: closed"));
      await Promise.all(lanes.map((each) => each.close()));
    },
  };
}
