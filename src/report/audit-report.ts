// The report of an audit: doubts first, then the table, its conditions, accuracy against ε.
import type { AuditFile } from "../experiments/records.js";
import { auditAccuracy } from "./accuracy.js";
import { auditConditions } from "./conditions.js";
import { heading, paragraph, type Block, type ReportDocument } from "./document.js";
import { auditDoubts } from "./doubts.js";
import type { Figure } from "./figure.js";
import { html } from "./html.js";
import { markdown } from "./markdown.js";
import { auditTable } from "./results-table.js";
import { figureBlocks } from "./run-report.js";
import { singleStepNotes } from "./strength.js";
import { attackGroups } from "./table.js";
import { plural } from "./text.js";

function auditDocument(audit: AuditFile, figures: readonly Figure[]): ReportDocument {
  const { model, dataset, robust } = audit;
  const attacks = attackGroups(robust).map(({ title }) => title);
  const doubts = auditDoubts(audit);
  const doubtful: Block[] =
    doubts.length > 0
      ? [heading(2, "Doubts"), { kind: "doubts", doubts }]
      : [paragraph("The diagnostics raised no doubt.")];
  return {
    title: `Audit of ${model.file}`,
    lead: `${model.file}, attacked on ${plural(dataset.n, "image")} of ${dataset.name} (${dataset.split}) with ${attacks.join(", ") || "nothing"}.`,
    blocks: [
      ...doubtful,
      heading(2, "Results"),
      { kind: "table", table: auditTable(audit) },
      ...singleStepNotes(robust, audit.flags).map(paragraph),
      heading(3, "Conditions"),
      { kind: "facts", facts: auditConditions(audit) },
      ...figureBlocks(figures),
    ],
  };
}

export interface AuditReport {
  readonly html: string;
  readonly markdown: string;
  readonly figures: readonly Figure[];
}

/** Page, Markdown and figures of an audit. */
export async function auditReport(audit: AuditFile): Promise<AuditReport> {
  const figure = await auditAccuracy(audit);
  const figures = figure === null ? [] : [figure];
  const document = auditDocument(audit, figures);
  return { html: html(document), markdown: markdown(document), figures };
}
