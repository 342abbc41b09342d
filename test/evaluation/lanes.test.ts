// Work on lanes: order, balance, errors.
import { describe, expect, it } from "vitest";
import { evenBatches, inLanes } from "../../src/evaluation/lanes.js";

const collect = async <T>(results: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const result of results) all.push(result);
  return all;
};

/** Work that ends when it is told to, by item. */
function held() {
  const enders = new Map<number, (error?: Error) => void>();
  const begun: string[] = [];
  const work = (lane: string, item: number): Promise<number> => {
    begun.push(`${lane}${item}`);
    return new Promise((resolve, reject) =>
      enders.set(item, (error) => (error ? reject(error) : resolve(10 * item))),
    );
  };
  const end = async (item: number, error?: Error): Promise<void> => {
    enders.get(item)?.(error);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { work, end, begun };
}

describe("inLanes", () => {
  it("gives results in the order of the items, and a free lane the next one", async () => {
    const { work, end, begun } = held();
    const results = collect(inLanes(["a", "b"], [1, 2, 3, 4], work));
    for (const item of [2, 3, 4, 1]) await end(item);
    expect(await results).toEqual([10, 20, 30, 40]);
    expect(begun).toEqual(["a1", "b2", "b3", "b4"]);
  });

  it("begins nothing after an error, and throws it once the lanes stand still", async () => {
    const { work, end, begun } = held();
    let stands = false;
    const results = collect(inLanes(["a", "b"], [1, 2, 3, 4], work)).catch((error: unknown) => {
      expect(stands).toBe(true);
      throw error;
    });
    const refused = expect(results).rejects.toThrow("broken");
    await end(1, new Error("broken"));
    stands = true;
    await end(2);
    await refused;
    expect(begun).toEqual(["a1", "b2"]);
  });

  it("has nothing to do with no items", async () => {
    expect(await collect(inLanes(["a"], [], held().work))).toEqual([]);
  });
});

describe("evenBatches", () => {
  const sizes = (items: number, batchSize: number, lanes: number): number[] =>
    evenBatches(
      Array.from({ length: items }, (_, i) => i),
      { batchSize, lanes },
    ).map((batch) => batch.length);

  it("gives every lane as many batches, of one size but for one item", () => {
    expect(sizes(250, 100, 2)).toEqual([62, 63, 62, 63]);
    expect(sizes(878, 100, 2)).toHaveLength(10);
    expect(sizes(100, 100, 2)).toEqual([50, 50]);
    expect(sizes(3, 100, 2)).toEqual([1, 2]);
  });

  it("keeps the order, makes no empty batch and none larger than allowed", () => {
    expect(evenBatches([5, 6, 7], { batchSize: 1, lanes: 2 })).toEqual([[5], [6], [7]]);
    expect(sizes(1, 100, 4)).toEqual([1]);
    expect(sizes(0, 100, 2)).toEqual([]);
  });
});
