// Members of ZIP archives, stored or deflated, read one at a time (PKWARE APPNOTE 6.3, sections 4.3 and 4.5.3).
import { open, type FileHandle } from "node:fs/promises";
import { crc32, inflateRawSync } from "node:zlib";
import { check, fail } from "../base/errors.js";
import { errorCode } from "./disk.js";

/** A member as the central directory has it. */
interface Member {
  readonly name: string;
  readonly method: number;
  readonly encrypted: boolean;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  /** Of its local header. */
  readonly offset: number;
}

const signatures = {
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
  entry: 0x02014b50,
  local: 0x04034b50,
};
const full32 = 0xffffffff;

/** Bytes of a file in a buffer of their own. */
async function bytesAt(file: FileHandle, at: number, length: number): Promise<DataView> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await file.read(bytes, done, Math.min(length - done, 2 ** 30), at + done);
    if (bytesRead === 0) throw new RangeError("cut short");
    done += bytesRead;
  }
  return new DataView(bytes.buffer);
}

const whole = (view: DataView, at: number): number => Number(view.getBigUint64(at, true));

/** Where the central directory lies. */
async function directoryOf(
  file: FileHandle,
  size: number,
): Promise<{ at: number; length: number; entries: number }> {
  const tail = Math.min(size, 22 + 0xffff);
  const view = await bytesAt(file, size - tail, tail);
  let at = tail - 22;
  while (at >= 0 && view.getUint32(at, true) !== signatures.end) at--;
  if (at < 0) throw new RangeError("no central directory");
  const found = {
    entries: view.getUint16(at + 10, true),
    length: view.getUint32(at + 12, true),
    at: view.getUint32(at + 16, true),
  };
  const has64 = at >= 20 && view.getUint32(at - 20, true) === signatures.locator64;
  if (!has64 || (found.at !== full32 && found.length !== full32 && found.entries !== 0xffff)) return found;
  const end64 = await bytesAt(file, whole(view, at - 20 + 8), 56);
  if (end64.getUint32(0, true) !== signatures.end64) throw new RangeError("no central directory");
  return { entries: whole(end64, 32), length: whole(end64, 40), at: whole(end64, 48) };
}

/** The 64-bit numbers of an entry's extra field, for those of its 32-bit ones that are full, in this order. */
function wide(view: DataView, from: number, end: number, given: readonly number[]): number[] {
  for (let at = from; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    let next = at + 4;
    return given.map((value) => (value === full32 ? whole(view, (next += 8) - 8) : value));
  }
  return [...given];
}

function membersIn(view: DataView, entries: number): Member[] {
  const members: Member[] = [];
  for (let at = 0, i = 0; i < entries; i++) {
    if (view.getUint32(at, true) !== signatures.entry) throw new RangeError("a damaged directory");
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((o) => view.getUint16(at + o, true));
    const nameEnd = at + 46 + (nameLength ?? 0);
    const end = nameEnd + (extraLength ?? 0);
    const given = [24, 20, 42].map((o) => view.getUint32(at + o, true));
    const [size = 0, packed = 0, offset = 0] = wide(view, nameEnd, end, given);
    members.push({
      name: new TextDecoder().decode(new Uint8Array(view.buffer, at + 46, nameLength ?? 0)),
      encrypted: (view.getUint16(at + 8, true) & 1) === 1,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      ...{ size, packed, offset },
    });
    at = end + (commentLength ?? 0);
  }
  return members;
}

/** The bytes of one member, held against their size and checksum. */
async function readMember(path: string, file: FileHandle, member: Member): Promise<Uint8Array> {
  const { name, method, encrypted, crc, packed, size, offset } = member;
  const where = `${path}: ${name}`;
  const readable = !encrypted && (method === 0 || method === 8);
  check(readable, where, "a stored or deflated member", () =>
    encrypted ? "an encrypted one" : `method ${method}`,
  );
  const local = await bytesAt(file, offset, 30);
  if (local.getUint32(0, true) !== signatures.local) throw new RangeError("a damaged member");
  const start = offset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  const view = await bytesAt(file, start, packed);
  const raw = new Uint8Array(view.buffer);
  // One byte more than declared is enough to see that there are too many.
  const bytes = method === 0 ? raw : inflateRawSync(raw, { maxOutputLength: size + 1 });
  const same = bytes.length === size && crc32(bytes) === crc;
  check(same, where, "the bytes that were packed", () => "damaged ones (their checksum differs)");
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

export interface Archive {
  readonly names: readonly string[];
  /** The bytes of a member; throws where there is none. */
  read(name: string): Promise<Uint8Array>;
  /** Its checksum, as the archive says. */
  checksum(name: string): number;
}

/** Calls `use` with the archive at `path`, closed afterwards. Throws one line where it is none, or damaged. */
export async function withArchive<T>(path: string, use: (archive: Archive) => Promise<T>): Promise<T> {
  const file = await open(path).catch((error: unknown) =>
    fail(path, "a file that can be read", errorCode(error) ?? String(error)),
  );
  const orDamaged = (work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      const isDamage = error instanceof RangeError || (error instanceof Error && "code" in error);
      if (isDamage) fail(path, "a whole ZIP archive", `a damaged one (${error.message})`);
      throw error;
    });
  try {
    return await orDamaged(
      (async () => {
        const { size } = await file.stat();
        const start = size < 22 ? 0 : (await bytesAt(file, 0, 4)).getUint32(0, true);
        const isZip = start === signatures.local || start === signatures.end;
        check(isZip, path, "a ZIP archive", () => (size === 0 ? "an empty file" : "another file"));
        const directory = await directoryOf(file, size);
        const members = membersIn(await bytesAt(file, directory.at, directory.length), directory.entries);
        const memberOf = (name: string): Member =>
          members.find((each) => each.name === name) ?? fail(path, `a member '${name}'`, "none");
        return use({
          names: members.map(({ name }) => name),
          read: async (name) => readMember(path, file, memberOf(name)),
          checksum: (name) => memberOf(name).crc,
        });
      })(),
    );
  } finally {
    await file.close();
  }
}
