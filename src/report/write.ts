// Reports as files: page, Markdown, and every figure as SVG and PNG; each file is written whole or not at all.
import { join } from "node:path";
import { writeWhole } from "../data/disk.js";
import type { AuditFile, StepProfile } from "../experiments/records.js";
import type { Gallery, RunRecord } from "../experiments/run-record.js";
import { auditReport } from "./audit-report.js";
import { standalone, type Figure } from "./figure.js";
import { figuresOf } from "./figures.js";
import { html } from "./html.js";
import { icicle } from "./icicle.js";
import { markdown } from "./markdown.js";
import { profileDocument } from "./profile-report.js";
import { png } from "./raster.js";
import { runReport } from "./run-report.js";

type Files = ReadonlyMap<string, string | Uint8Array>;

async function filesOf(
  page: string,
  text: string,
  figures: readonly Figure[],
  name = "report",
): Promise<Files> {
  const files = new Map<string, string | Uint8Array>();
  for (const figure of figures) {
    const svg = standalone(figure);
    files.set(`figures/${figure.name}.svg`, svg);
    files.set(`figures/${figure.name}.png`, await png(svg));
  }
  return files.set(`${name}.md`, text).set(`${name}.html`, page);
}

/** Writes the files below `dir`; the page comes last. */
async function write(dir: string, files: Files): Promise<string[]> {
  for (const [path, content] of files) await writeWhole(join(dir, path), content);
  return [...files.keys()];
}

/** Writes a run's report into `dir`; returns the paths below it. Equal records give equal bytes. */
export async function writeReport(dir: string, record: RunRecord): Promise<string[]> {
  const figures = await figuresOf(record);
  const document = await runReport(record, figures);
  return write(dir, await filesOf(html(document), markdown(document), figures));
}

/** Writes an audit's report into `dir`; returns the paths below it. Equal records give equal bytes. */
export async function writeAuditReport(
  dir: string,
  audit: AuditFile,
  worst: Gallery | null = null,
): Promise<string[]> {
  const report = await auditReport(audit, worst);
  return write(dir, await filesOf(report.html, report.markdown, report.figures));
}

/** The page of a profile, on its own. */
export const profilePage = (profile: StepProfile): string => html(profileDocument(profile, icicle(profile)));

/** Writes a profile's page, named after its method, into `dir`; returns the paths below it. */
export async function writeProfileReport(dir: string, profile: StepProfile): Promise<string[]> {
  const figure = icicle(profile);
  const document = profileDocument(profile, figure);
  return write(dir, await filesOf(html(document), markdown(document), [figure], profile.method));
}
