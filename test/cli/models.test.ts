// `temper models describe`: what it says of a network, in text and as JSON, and what it refuses.
import { describe, expect, it } from "vitest";
import { temper, tooWide } from "./cli.js";

const described = (...args: string[]) => temper(["models", "describe", ...args]);

describe("temper models describe", () => {
  it("lists layers with shapes, parameters and arithmetic, within 80 columns", async () => {
    const { code, out } = await described(
      "mlp",
      "--set",
      "hidden=[800,800]",
      "--defense",
      "adversarial-backprop",
    );
    expect(code).toBe(0);
    expect(tooWide(out)).toEqual([]);
    expect(out).toMatch(/^mlp: 1×28×28 to 10 classes\n/);
    expect(out).toMatch(/\ndense1 +800 +628,000 +627 k\n/);
    expect(out).toMatch(/\nparameters +1,276,810\n/);
    expect(out).toMatch(/\nforward pass +1\.28 M multiply-adds an image\n/);
    expect(out).toMatch(/\nnoise sites +input, relu1, relu2\n/);
    expect(out).toMatch(/\nloss +softmax-cross-entropy\n/);
    expect(out).toMatch(/\ntraining +adversarial-backprop, sgd, batches of 128\n/);
    expect(out).toMatch(/\nmemory +about \d+\.\d MB more at the peak than an idle process:\n/);
    expect(out).not.toContain("time ");
  });

  it("names the parts of blocks and counts batch-norm apart", async () => {
    const { out } = await described(
      "wide-resnet",
      "--input",
      "3x32x32",
      "--set",
      "depth=10",
      "--set",
      "width=1",
    );
    expect(tooWide(out)).toEqual([]);
    expect(out).toMatch(/\nblock2\.shortcut\.conv1 +32×16×16 +512 +131 k\n/);
    expect(out).toMatch(/\nparameters +77,370, and 480 of batch-norm\n/);
  });

  it("says what is exported where that is another network", async () => {
    const sizes = ["stages=[2]", "growth=[4]", "groups=2"].flatMap((option) => ["--set", option]);
    const args = ["condensenet", "--input", "1x6x6", ...sizes];
    const { out } = await described(...args);
    expect(tooWide(out)).toEqual([]);
    // 1×1 convolutions: (8 + 12)·16 weights, and half of them; the rest is 8·9, 2·16·4·9/2 and 16·10 + 10.
    expect(out).toMatch(/\nparameters +1,138, and 136 of batch-norm\n/);
    expect(out).toMatch(/\nexported as +another network, after the last epoch:\n/);
    expect(out).toMatch(/\n {2}parameters +978, and 136 of batch-norm\n/);
    const found = JSON.parse((await described(...args, "--json")).out) as Record<string, unknown>;
    expect(found["exported"]).toEqual({
      parameters: 978,
      batchNormParameters: 136,
      multiplyAdds: 36 * (72 + 160 + 576) + 160,
    });
  });

  it("gives the same as JSON", async () => {
    const { out } = await described("mlp", "--set", "hidden=[30]", "--batch-size", "10", "--json");
    const found = JSON.parse(out) as Record<string, unknown>;
    expect(found).toMatchObject({
      model: "mlp",
      inputShape: [1, 28, 28],
      classes: 10,
      training: { defense: ["standard"], optimizer: "sgd", batchSize: 10 },
      parameters: 23_860,
      batchNormParameters: 0,
      multiplyAdds: 784 * 30 + 30 * 10,
      timing: null,
    });
    expect(found["options"]).toMatchObject({ hidden: [30], activation: "relu" });
    expect(Object.keys(found["memory"] as object)).toEqual([
      "state",
      "activations",
      "engine",
      "host",
      "total",
    ]);
  });

  it("describes networks that no machine can train, and names the largest batch that would fit", async () => {
    const groups = ["--set", "blocks=[1,1,1,1,1,1,1,1]", "--input", "3x32x32"];
    const deep = await described("preact-resnet", ...groups);
    expect(deep.code).toBe(0);
    expect(deep.out).toMatch(/\nparameters +1,252,779,722, and 49,024 of batch-norm\n/);
    const { out } = await described("mlp", "--set", "hidden=[8]", "--batch-size", "1000000000000");
    expect(tooWide(out)).toEqual([]);
    expect(out).toMatch(/\none step +\d\d\.\d P multiply-adds\n/);
    expect(out).toMatch(/\n {2}fits +batches of up to \d+ in the [\d.]+ GB that are free here\n/);
  });

  it("times a few steps where it is asked to", async () => {
    const { out } = await described(
      "mlp",
      "--input",
      "1x2x2",
      "--set",
      "hidden=[3]",
      "--time",
      "--threads",
      "1",
    );
    expect(out).toMatch(/\ntime +[\d.]+ ms a step, \d+ images\/s \(measured here, threads: 1\)\n/);
  });

  it.each([
    [["wide-resnt"], "unknown model 'wide-resnt' – did you mean 'wide-resnet'?"],
    [["mlp", "--set", "hiden=[3]"], "mlp: unknown option 'hiden' – did you mean 'hidden'?"],
    [
      ["wide-resnet", "--set", "depth=17"],
      "wide-resnet.depth: expected a depth of 6n + 4: 10, 16, 22, 28 …, got 17",
    ],
    [["mlp", "--defense", "abp"], "unknown method 'abp'"],
    [["mlp", "--optimizer", "sdg"], "unknown optimizer 'sdg' – did you mean 'sgd'?"],
    [["mlp", "--input", "3x32"], "Expected channels, height and width, like 3x32x32."],
    [["mlp", "--input", "3x32x32", "--dataset", "mnist"], "expected either --dataset or --input, got both"],
    [
      ["wide-resnet", "--set", "depth=1000000"],
      "wide-resnet.depth: expected number to be <=5000, got 1000000",
    ],
    [
      ["lenet", "--input", "3x100000x100000"],
      "lenet: expected an input of at most 536,870,912 numbers, got [3, 100000, 100000]",
    ],
    [
      ["inception-v3"],
      "inception-v3: expected images of at least 75×75 with stem=299, got 28×28 (allowed: stem=cifar from 9×9 on)",
    ],
    [
      ["mlp", "--input", "3x32x32", "--batch-size", "100000000", "--time"],
      "models describe --time: expected training within the",
    ],
    [["mlp", "--classes", "7"], "expected --classes with --input, got it without"],
  ])("refuses %s in one line", async (args, message) => {
    const { code, err } = await described(...args);
    expect(code).toBeGreaterThan(0);
    expect(err).toContain(message);
    expect(err.trim().split("\n")).toHaveLength(1);
  });

  it("takes threads to time with only where it is to time", async () => {
    const { code, err } = await described("mlp", "--threads", "2");
    expect(code).not.toBe(0);
    expect(err).toContain("models describe: expected --time with --threads, got none");
  });
});
