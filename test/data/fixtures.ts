// A dataset of ten images of 2×3 pixels in three classes, its IDX files, archives of them, and a loopback server.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { onTestFinished } from "vitest";
import type { DatasetSource, NpmOrigin, WebOrigin } from "../../src/data/dataset.js";
import { readIdxSplit, writeIdx } from "../../src/data/idx.js";

const form = { imageShape: [1, 2, 3], classes: 3 } as const;
const bytes = (length: number, of: (i: number) => number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => of(i));

/** Six training and four test images. */
export const files: Readonly<Record<string, Uint8Array>> = {
  "train-images": writeIdx(
    [6, 2, 3],
    bytes(36, (i) => (i * 7) % 256),
  ),
  "train-labels": writeIdx(
    [6],
    bytes(6, (i) => i % 3),
  ),
  "test-images": writeIdx(
    [4, 2, 3],
    bytes(24, (i) => 255 - i),
  ),
  "test-labels": writeIdx(
    [4],
    bytes(4, (i) => 2 - (i % 3)),
  ),
};

export const md5 = (content: Uint8Array): string => createHash("md5").update(content).digest("hex");

/** The npm tarball of the fixture: a stranger's file before and after the four members. */
export async function tarball(contents: Readonly<Record<string, Uint8Array>> = files): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: "package/index.js" }, "throw new Error('run');");
  for (const [name, content] of Object.entries(contents))
    archive.entry({ name: `package/data/${name}` }, Buffer.from(content));
  archive.entry({ name: "package/../../escape" }, "outside");
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return gzipSync(Buffer.concat(chunks));
}

export const npmOrigin = (archive: Uint8Array): NpmOrigin => ({
  kind: "npm",
  package: "tiny-digits",
  version: "1.0.0",
  integrity: `sha512-${createHash("sha512").update(archive).digest("base64")}`,
  folder: "data",
});

export const webOrigin = (base: string, suffix = ".gz"): WebOrigin => ({ kind: "web", base, suffix });

export const tiny = (...origins: DatasetSource["origins"]): DatasetSource => ({
  ...form,
  name: "tiny",
  title: "Tiny digits",
  licence: "none",
  citation: "none",
  files: Object.entries(files).map(([name, content]) => ({ name, bytes: content.length, md5: md5(content) })),
  origins,
  read: (file) => ({
    train: readIdxSplit(file("train-images"), file("train-labels"), form),
    test: readIdxSplit(file("test-images"), file("test-labels"), form),
  }),
});

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "temper-data-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Loopback {
  /** Its address, ending in "/". */
  readonly base: string;
  readonly host: string;
  /** Path and Range of each request, in order. */
  readonly requests: string[];
}

/** The address of a port on 127.0.0.1 at which nothing listens (any more). */
export async function closedPort(): Promise<Pick<Loopback, "base" | "host">> {
  const server = createServer();
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  const host = `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  return { base: `http://${host}/`, host };
}

/** A server on 127.0.0.1 that lives until the test ends. */
export async function loopback(
  answer: (request: IncomingMessage, response: ServerResponse, path: string) => void,
): Promise<Loopback> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    requests.push(`${path} ${request.headers.range ?? "whole"}`);
    answer(request, response, path);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const host = `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  return { base: `http://${host}/`, host, requests };
}

/** Answers with `content`, from where Range asks. */
export function serve(content: Uint8Array, request: IncomingMessage, response: ServerResponse): void {
  const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
  if (start >= content.length) return void response.writeHead(416).end();
  const headers = { "content-length": content.length - start };
  if (start === 0) response.writeHead(200, headers);
  else
    response.writeHead(206, {
      ...headers,
      "content-range": `bytes ${start}-${content.length - 1}/${content.length}`,
    });
  response.end(content.subarray(start));
}

/** Answers with the first `count` bytes of what `serve` would send, then breaks the connection. */
export function serveBroken(content: Uint8Array, count: number, response: ServerResponse): void {
  response.writeHead(200, { "content-length": content.length });
  // The client must have read the bytes by then: what still waits in its stream is lost with the connection.
  response.write(content.subarray(0, count), () => setTimeout(() => response.destroy(), 400));
}
