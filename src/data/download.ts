// Downloads that go on where they stopped: bytes are appended to a `.part` file, asked for by HTTP Range.
import { rm } from "node:fs/promises";
import { TemperError } from "../base/errors.js";
import { errorCode, sizeOnDisk, writing } from "./disk.js";

export interface DownloadProgress {
  /** What is downloaded: the last part of its address. */
  readonly file: string;
  /** Bytes on disk, those of an earlier attempt included. */
  readonly received: number;
  /** Bytes in all, where the server says so. */
  readonly total: number | undefined;
}

export interface DownloadOptions {
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Stops the download; what has come stays in the `.part` file and the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Seconds without a byte after which a connection counts as lost; default 30. */
  readonly stallSeconds?: number;
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection lost",
  UND_ERR_SOCKET: "connection lost",
  ENOTFOUND: "no such host, or offline",
  EAI_AGAIN: "no such host, or offline",
  ENETUNREACH: "offline",
  EHOSTUNREACH: "host not reachable",
  ETIMEDOUT: "no answer",
  UND_ERR_CONNECT_TIMEOUT: "no answer",
};

/** A few words on why a connection failed, from what `fetch` threw. */
export function connectionFailure(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = errorCode(cause);
  return words[code ?? ""] ?? code ?? (cause instanceof Error ? cause.message : String(cause));
}

/** A signal that fires when the user stops or when nothing came for `seconds`. */
function watch(signal: AbortSignal | undefined, seconds: number) {
  const controller = new AbortController();
  const stop = (): void => controller.abort(signal?.reason);
  const timer = setTimeout(
    () => controller.abort(new Error(`nothing came for ${seconds} s`)),
    seconds * 1000,
  );
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop();
  return {
    signal: controller.signal,
    alive: (): unknown => timer.refresh(),
    end: (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    },
  };
}

/** A name and password inside an address become a header, as `fetch` wants it. */
function request(address: string, start: number): { url: URL; headers: Record<string, string> } {
  const url = new URL(address);
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (start > 0) headers["range"] = `bytes=${start}-`;
  if (url.username) {
    const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers["authorization"] = `Basic ${Buffer.from(login).toString("base64")}`;
    url.username = url.password = "";
  }
  return { url, headers };
}

/** One connection: appends to `part` what it yields. Returns why it ended early, or undefined when all has come. */
async function attempt(address: string, part: string, options: DownloadOptions): Promise<string | undefined> {
  const start = await sizeOnDisk(part);
  const { url, headers } = request(address, start);
  const { signal, alive, end } = watch(options.signal, options.stallSeconds ?? 30);
  try {
    const response = await fetch(url, { headers, signal });
    if (response.status === 416 && start > 0) return undefined;
    if (!response.ok || response.body === null) return `HTTP ${response.status}`;
    const resumes = response.headers.get("content-range")?.startsWith(`bytes ${start}-`) ?? false;
    if (response.status === 206 && !resumes) {
      await rm(part);
      return await attempt(address, part, options);
    }
    let received = response.status === 206 ? start : 0;
    const length = response.headers.get("content-length");
    const total = length === null ? undefined : received + Number(length);
    const file = url.pathname.split("/").at(-1) ?? "";
    const { body } = response;
    await writing(part, received > 0 ? "a" : "w", async (append) => {
      for await (const chunk of body) {
        alive();
        await append(chunk);
        received += chunk.length;
        options.onProgress?.({ file, received, total });
      }
    });
    return undefined;
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof TemperError) throw error;
    return connectionFailure(signal.aborted ? signal.reason : error);
  } finally {
    end();
  }
}

/**
 * Downloads `address` into the file `part`, going on from what is already there, also after a connection is lost, as
 * long as each brings something. Returns why it failed, or undefined when all has come; whether it is the right
 * thing is for a checksum to say. Throws where the disk fails or the user stops it.
 */
export async function download(
  address: string,
  part: string,
  options: DownloadOptions = {},
): Promise<string | undefined> {
  for (;;) {
    const before = await sizeOnDisk(part);
    const failure = await attempt(address, part, options);
    if (failure === undefined || (await sizeOnDisk(part)) <= before) return failure;
  }
}
