// Progress: time left, lines, bars within 80 columns; wrapping of text.
import { EventEmitter } from "node:events";
import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { interruptible } from "../../src/cli/interrupt.js";
import type { Io } from "../../src/cli/io.js";
import {
  attackStage,
  epochText,
  leftText,
  progressView,
  Remaining,
  trainingStep,
} from "../../src/cli/progress.js";
import { bytesText } from "../../src/base/bytes-text.js";
import { entry, shellWord, wrap } from "../../src/cli/text.js";
import { tooWide } from "./cli.js";

function fakeIo(terminal: boolean) {
  const parts: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      parts.push(chunk.toString());
      done();
    },
  });
  // What bars need of a terminal beside its columns.
  const screen = Object.assign(stream, {
    isTTY: terminal,
    columns: 80,
    cursorTo: () => true,
    moveCursor: () => true,
    clearLine: () => true,
  });
  const signals = new EventEmitter();
  const killed: string[] = [];
  const io: Io = { out: screen, err: screen, env: {}, signals, kill: (signal) => void killed.push(signal) };
  return { io, signals, killed, text: () => parts.join("") };
}

describe("time left", () => {
  it("goes by what was gained since the task was first seen", () => {
    let now = 0;
    const remaining = new Remaining(() => now);
    expect(remaining.of("a", 0.5)).toBeUndefined();
    now = 10_000;
    expect(remaining.of("a", 0.75)).toBeCloseTo(10);
    remaining.forget("a");
    expect(remaining.of("a", 0.8)).toBeUndefined();
  });

  it.each([
    [undefined, ""],
    [0.2, ""],
    [41.2, "42 s left"],
    [80, "1:20 left"],
    [3723, "1:02:03 left"],
  ])("%s s is written %j", (seconds, text) => {
    expect(leftText(seconds)).toBe(text);
  });
});

const training = {
  epoch: 2,
  epochs: 10,
  seen: 30_000,
  count: 60_000,
  loss: 0.12345,
  imagesPerSecond: 51_234,
};

describe("figures in progress", () => {
  it.each([
    [0.12345, "0.123"],
    [2.3e-7, "2.30e-7"],
    [1234.5, "1235"],
    [71_755_067_770, "7.176e+10"],
    [NaN, "NaN"],
    [Infinity, "Infinity"],
  ])("a loss of %s is written %s", (loss, text) => {
    expect(trainingStep({ ...training, loss }).text).toBe(`epoch 3/10  loss ${text}  51k/s`);
    expect(epochText(1, 2, loss, undefined)).toBe(`epoch 1/2, loss ${text}`);
  });

  it.each([
    ["clean", "clean"],
    ["pgd linf 0.03137254901960784", "pgd linf 8/255"],
    ["fgsm l1 0.123456789", "fgsm l1 0.1235"],
    ["pgd l2 1e-7", "pgd l2 1e-7"],
    ["deepfool l2 0.5", "deepfool l2 0.5"],
  ])("the stage %s is written %s", (exactly, text) => {
    expect(attackStage(exactly)).toBe(text);
  });
});

describe("views", () => {
  it("without a terminal: a line for what was reached, none for updates", async () => {
    const { io, text } = fakeIo(false);
    const view = await progressView(io);
    view.update("sgm-seed0", trainingStep(training));
    view.line("sgm-seed0", "epoch 3/10, loss 0.123");
    view.finish("sgm-seed0", "done");
    view.stop();
    expect(text()).toBe("sgm-seed0: epoch 3/10, loss 0.123\nsgm-seed0: done\n");
  });

  it("without a terminal: what is done says how many are", async () => {
    const { io, text } = fakeIo(false);
    const view = await progressView(io);
    view.tally(0, 2);
    view.begin("a", "evaluating");
    view.tally(1, 2);
    view.finish("a", "done");
    expect(text()).toBe("a: evaluating\na: done (1 of 2 done)\n");
  });

  it("on a terminal: a bar of all tasks above the others", async () => {
    const { io, text } = fakeIo(true);
    const view = await progressView(io);
    view.tally(0, 5);
    view.update("sgm-seed0", trainingStep(training));
    view.tally(2, 5);
    view.stop();
    expect(text()).toMatch(/all +███░░░░░ 2 of 5 done[^]*sgm-seed0 +██░░░░░░ epoch 3\/10/);
  });

  it("on a terminal: bars of at most 80 columns", async () => {
    const { io, text } = fakeIo(true);
    const view = await progressView(io);
    view.update("adversarial-backprop-seed0", trainingStep(training));
    view.update("a-method-with-a-name-longer-than-any-seed17", trainingStep(training));
    view.say("stopping …");
    await new Promise((resolve) => setTimeout(resolve, 250));
    view.stop();
    expect(tooWide(text().replace(/\u001b\[[0-9;?]*[A-Za-z]/g, "\n"))).toEqual([]);
    expect(text()).toContain("adversarial-backprop-seed0 ██░░░░░░ epoch 3/10  loss 0.123  51k/s");
    expect(text()).toContain("stopping …");
  });
});

describe("Ctrl-C", () => {
  const view = { say: () => undefined, stop: () => undefined };
  const messages = { stopping: "stopping", stopped: "stopped; go on with …", view };
  const untilAborted = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        const error = new Error("asked to");
        error.name = "Interrupted";
        reject(error);
      });
    });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ])("%s stops with %i and says how to go on", async (signal, code) => {
    const { io, signals } = fakeIo(false);
    const work = interruptible(io, messages, untilAborted);
    signals.emit(signal);
    await expect(work).rejects.toMatchObject({ name: "Stopped", message: messages.stopped, code });
    expect(signals.listenerCount(signal)).toBe(0);
  });

  it.each(["SIGINT", "SIGTERM"])("%s twice ends the process at once", (signal) => {
    const { io, signals, killed } = fakeIo(false);
    void interruptible(io, messages, () => new Promise(() => undefined));
    signals.emit(signal);
    signals.emit(signal);
    expect(killed).toEqual([signal]);
  });

  it("an error of the work's own is not hidden", async () => {
    const { io, signals } = fakeIo(false);
    const work = interruptible(io, messages, async (signal) => {
      signals.emit("SIGINT");
      await Promise.resolve();
      throw new Error(`the disk is full (${signal.aborted})`);
    });
    await expect(work).rejects.toThrow("the disk is full (true)");
  });
});

describe("text", () => {
  it("wraps at spaces and keeps long words", () => {
    expect(wrap("a bb ccc dddddddd e", 5)).toEqual(["a bb", "ccc", "dddddddd", "e"]);
  });

  it("puts what is too long on a line of its own", () => {
    expect(entry("name", "one two", 6, 10)).toBe("name  one\n      two");
    expect(entry("longname", "one", 6, 10)).toBe("longname\n      one");
  });

  it.each([
    [999, "999 B"],
    [47_040_016, "47.0 MB"],
    [0, "0 B"],
  ])("%i bytes", (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });
});

describe("a word of a command line", () => {
  it.each([
    ["out/model.onnx", "out/model.onnx"],
    ["my model.onnx", "'my model.onnx'"],
    ["it's", `'it'\\''s'`],
  ])("%s", (text, word) => {
    expect(shellWord(text)).toBe(word);
  });
});
