// The report of an audit: one sheet to forward – doubts, verdict, table, figures, budget, what was not tried – and an
// appendix with all that a reader may ask for next.
import type { AuditFile } from "../experiments/records.js";
import type { Gallery } from "../experiments/run-record.js";
import { auditAccuracy } from "./accuracy.js";
import { attacksTable, budgetText, distancesTable, stagesTable } from "./audit-tables.js";
import { auditVerdict } from "./audit-verdict.js";
import { auditConditions } from "./conditions.js";
import { heading, paragraph, type Block, type DataTable, type ReportDocument } from "./document.js";
import { corruptionBlocks, corruptionSummary, corruptionTable } from "./corruptions.js";
import { auditDoubts } from "./doubts.js";
import type { Figure } from "./figure.js";
import { worstImages } from "./gallery.js";
import { html } from "./html.js";
import { markdown } from "./markdown.js";
import { stageNotes } from "./stages.js";
import { singleStepNotes } from "./strength.js";
import { attackGroups } from "./table.js";
import { fileText, plural, sentence } from "./text.js";

const tableBlocks = (table: DataTable | null): Block[] => (table === null ? [] : [{ kind: "table", table }]);

/** What was run, in one sentence; suites as a whole. */
function leadOf({ model, dataset, robust, corruptions = [] }: AuditFile): string {
  const attacks = attackGroups(
    robust.filter(({ attack, suite }) => attack !== "worst-case" && suite === undefined),
  );
  const kinds = new Set(corruptions.map(({ name }) => name)).size;
  const corrupted = kinds === 0 ? "" : `, and under ${plural(kinds, "corruption")}`;
  const named = attacks.map(({ title }) => title).join(", ") || "nothing";
  return `${fileText(model.file)}, attacked on ${plural(dataset.n, "image")} of ${dataset.name} (${dataset.split}) with ${named}${corrupted}.`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** How the passes of the table were counted. */
const counting =
  "An image counts until the run of the engine in which it falls is over; a gradient pass goes back once through the model, beside the forward pass before it. The runner's own checks are not counted.";

function sheetOf(audit: AuditFile, figures: readonly Figure[]): Block[] {
  const doubts = auditDoubts(audit);
  const budget = budgetText(audit);
  const doubtful: Block[] =
    doubts.length > 0
      ? [heading(2, "Doubts"), { kind: "doubts", doubts }]
      : [paragraph("The diagnostics raised no doubt.")];
  const shown = figures.map((figure): Block => ({ kind: "figure", figure }));
  return [
    ...doubtful,
    heading(2, "Verdict"),
    ...auditVerdict(audit).map(paragraph),
    heading(2, "Results"),
    ...tableBlocks(attacksTable(audit)),
    ...(budget === null ? [] : [paragraph(budget)]),
    ...singleStepNotes(audit.robust, audit.flags).map(paragraph),
    ...tableBlocks(distancesTable(audit)),
    ...corruptionSummary(audit).map(paragraph),
    ...(shown.length > 0 ? [{ kind: "columns" as const, blocks: shown }] : []),
    heading(2, "What was not tried"),
    paragraph(sentence(capital(audit.notTried.join("; ")))),
  ];
}

function appendixOf(audit: AuditFile): Block[] {
  const stages = stagesTable(audit);
  return [
    heading(2, "Appendix"),
    ...(stages === null ? [] : [heading(3, "Stages"), ...stageNotes(audit.robust, "row").map(paragraph)]),
    ...tableBlocks(stages),
    ...corruptionBlocks(corruptionTable(audit), audit),
    heading(3, "Conditions"),
    { kind: "facts", facts: auditConditions(audit) },
    ...(audit.budget === undefined ? [] : [heading(3, "How passes are counted"), paragraph(counting)]),
  ];
}

const auditDocument = (audit: AuditFile, figures: readonly Figure[]): ReportDocument => ({
  title: `Audit of ${fileText(audit.model.file)}`,
  lead: leadOf(audit),
  blocks: sheetOf(audit, figures),
  appendix: appendixOf(audit),
});

export interface AuditReport {
  readonly html: string;
  readonly markdown: string;
  readonly figures: readonly Figure[];
}

/** Page, Markdown and figures of an audit; `worst` has the images that fell worst. */
export async function auditReport(audit: AuditFile, worst: Gallery | null = null): Promise<AuditReport> {
  const found = [await auditAccuracy(audit), worst && (await worstImages(worst, audit))];
  const figures = found.filter((figure) => figure !== null);
  const document = auditDocument(audit, figures);
  return { html: html(document), markdown: markdown(document), figures };
}
