// What training is said to have taken: earlier parts added, pauses left out, and nothing where a part is unknown.
import { describe, expect, it } from "vitest";
import { startWatch } from "../../src/defenses/stopwatch.js";

/** Keeps the processor busy. */
const work = (): number => Array.from({ length: 3e6 }, (_, i) => Math.sqrt(i)).reduce((a, b) => a + b);

describe("startWatch", () => {
  it("goes on from what was spent before", () => {
    const watch = startWatch({ seconds: 100, processorSeconds: 40 });
    work();
    const spent = watch.spent();
    expect(spent.seconds).toBeGreaterThan(100);
    expect(spent.processorSeconds).toBeGreaterThan(40);
  });

  it("knows no sum where a part is not known", () => {
    expect(startWatch({ seconds: 1, processorSeconds: null }).spent().processorSeconds).toBeNull();
  });

  it("leaves pauses out", async () => {
    const before = process.cpuUsage();
    const watch = startWatch({ seconds: 0, processorSeconds: 0 });
    const inside = await watch.pause(() => {
      const begun = process.cpuUsage();
      work();
      return Promise.resolve(process.cpuUsage(begun));
    });
    const { processorSeconds } = watch.spent();
    const { user, system } = process.cpuUsage(before);
    expect(processorSeconds).toBeGreaterThanOrEqual(0);
    expect(processorSeconds).toBeLessThanOrEqual((user + system - inside.user - inside.system) / 1e6 + 1e-6);
  });
});
