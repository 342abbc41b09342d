// The report of an audit: doubts first, then verdict, table, figures, what was not tried, conditions.
import type { AuditFile, Gallery } from "../experiments/records.js";
import { auditAccuracy } from "./accuracy.js";
import { auditVerdict } from "./audit-verdict.js";
import { auditConditions } from "./conditions.js";
import { heading, paragraph, type Block, type ReportDocument } from "./document.js";
import { corruptionBlocks, corruptionTable } from "./corruptions.js";
import { auditDoubts } from "./doubts.js";
import type { Figure } from "./figure.js";
import { worstImages } from "./gallery.js";
import { html } from "./html.js";
import { markdown } from "./markdown.js";
import { auditTable, distancesTable, timesTable } from "./results-table.js";
import { figureBlocks } from "./run-report.js";
import { singleStepNotes } from "./strength.js";
import { attackGroups } from "./table.js";
import { plural, sentence } from "./text.js";

function auditDocument(audit: AuditFile, figures: readonly Figure[]): ReportDocument {
  const { model, dataset, robust } = audit;
  const attacks = attackGroups(robust).map(({ title }) => title);
  const corruptions = new Set(audit.corruptions?.map(({ name }) => name)).size;
  const corrupted = corruptions === 0 ? "" : `, and under ${plural(corruptions, "corruption")}`;
  const doubts = auditDoubts(audit);
  const distances = distancesTable(audit);
  const doubtful: Block[] =
    doubts.length > 0
      ? [heading(2, "Doubts"), { kind: "doubts", doubts }]
      : [paragraph("The diagnostics raised no doubt.")];
  return {
    title: `Audit of ${model.file}`,
    lead: `${model.file}, attacked on ${plural(dataset.n, "image")} of ${dataset.name} (${dataset.split}) with ${attacks.join(", ") || "nothing"}${corrupted}.`,
    blocks: [
      ...doubtful,
      heading(2, "Verdict"),
      ...auditVerdict(audit).map(paragraph),
      heading(2, "Results"),
      { kind: "table", table: auditTable(audit) },
      ...singleStepNotes(robust, audit.flags).map(paragraph),
      ...(distances === null ? [] : [{ kind: "table" as const, table: distances }]),
      ...corruptionBlocks(corruptionTable(audit), audit),
      ...figureBlocks(figures),
      heading(2, "What was not tried"),
      paragraph(sentence(`Not tried: ${audit.notTried.join("; ")}`)),
      heading(2, "Conditions"),
      { kind: "facts", facts: auditConditions(audit) },
      { kind: "details", summary: "Time spent", blocks: [{ kind: "table", table: timesTable(audit) }] },
    ],
  };
}

export interface AuditReport {
  readonly html: string;
  readonly markdown: string;
  readonly figures: readonly Figure[];
}

/** Page, Markdown and figures of an audit; `worst` has the images that the attacks changed least to bring down. */
export async function auditReport(audit: AuditFile, worst: Gallery | null = null): Promise<AuditReport> {
  const found = [await auditAccuracy(audit), worst && (await worstImages(worst))];
  const figures = found.filter((figure) => figure !== null);
  const document = auditDocument(audit, figures);
  return { html: html(document), markdown: markdown(document), figures };
}
