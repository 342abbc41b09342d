// The verdict of an audit: doubts silence the figures that they are about, and no others.
import { describe, expect, it } from "vitest";
import type { AuditFile } from "../../src/experiments/records.js";
import { auditVerdict } from "../../src/report/audit-verdict.js";
import { fakeAudit } from "./fake-run.js";

const record = (epsilon: number, accuracy: number, more: object = {}): AuditFile["robust"][number] => ({
  ...{ attack: "pgd", norm: "linf", epsilon, accuracy, n: 100, labels: "true", options: {} },
  ...more,
});

const audit = (robust: AuditFile["robust"], flags: AuditFile["flags"] = []): string[] =>
  auditVerdict({ ...fakeAudit(), clean: 0.98, robust, flags });

const doubt = { name: "too-few-steps", message: "m", remedy: "r" };

describe("auditVerdict", () => {
  const robust = [record(0.1, 0.9), record(0.2, 0.45)];

  it("says what withstands, of the images that are read rightly", () => {
    const [, small, large] = audit(robust);
    expect(small).toMatch(/^L∞, ε 0\.1: .* right\. The model withstands these attacks\.$/);
    expect(large).toMatch(
      /The model withstands these attacks on a minority of the images that it classifies rightly\.$/,
    );
    expect(audit([record(0.1, 0.01)])[1]).toMatch(/The model does not withstand these attacks\.$/);
    expect(audit([record(0.1, 0.6, { targeted: true })])[1]).toMatch(
      /withstands these attacks, each aimed at one wrong class, on most of the images that/,
    );
  });

  it("gives none where single steps, points of other models, or both were all that was tried", () => {
    const transfer = record(0.1, 0.9, { attack: "pgd transfer from a.onnx" });
    const fgsm = record(0.1, 0.8, { attack: "fgsm" });
    const both = record(0.1, 0.8, { attack: "worst-case" });
    const said = (...records: AuditFile["robust"]): string[] => audit(records).slice(1);
    expect(said(fgsm)).toEqual(["L∞, ε 0.1: single steps alone were tried: no verdict."]);
    expect(said(transfer)).toEqual([
      "L∞, ε 0.1: points crafted on other models alone were tried: no verdict.",
    ]);
    expect(said(fgsm, transfer, both)).toEqual([
      "L∞, ε 0.1: single steps and points crafted on other models alone were tried: no verdict.",
    ]);
    expect(said(transfer, record(0.1, 0.95), record(0.1, 0.9, { attack: "worst-case" }))[0]).toMatch(
      /^L∞, ε 0\.1: all attacks together leave 90\.0 % .* The model withstands these attacks\.$/,
    );
  });

  it("gives none at the balls that a doubt is about, and at all where it names none", () => {
    const [, small, large] = audit(robust, [{ ...doubt, balls: [{ norm: "linf", epsilon: 0.2 }] }]);
    expect(small).toMatch(/The model withstands these attacks\.$/);
    expect(large).toMatch(/No verdict while there are these doubts: too-few-steps\.$/);
    for (const line of audit(robust, [doubt]).slice(1, 3)) expect(line).toContain("No verdict");
  });
});
