// A report before it is HTML or Markdown: headings, prose, tables, facts, figures.
import type { Figure } from "./figure.js";

export interface DataColumn {
  readonly group: string | null;
  readonly name: string;
  /** Its cells are words, not numbers. */
  readonly words?: boolean;
}

/** Rows of text; columns of one attack stand under its name. */
export interface DataTable {
  readonly caption: string;
  /** What the rows' names are. */
  readonly corner: string;
  readonly columns: readonly DataColumn[];
  readonly rows: readonly { readonly name: string; readonly cells: readonly string[] }[];
}

/** A doubt about what was measured. */
export interface Doubt {
  readonly subject: string;
  readonly message: string;
  readonly remedy: string;
}

/** A term and what is to be said about it. */
export type Fact = readonly [term: string, value: string];

export type Block =
  | { readonly kind: "heading"; readonly level: 2 | 3; readonly text: string }
  | { readonly kind: "paragraph"; readonly text: string }
  | { readonly kind: "doubts"; readonly doubts: readonly Doubt[] }
  | { readonly kind: "table"; readonly table: DataTable }
  | { readonly kind: "facts"; readonly facts: readonly Fact[] }
  | { readonly kind: "figure"; readonly figure: Figure }
  /** Side by side where there is room. */
  | { readonly kind: "columns"; readonly blocks: readonly Block[] }
  | { readonly kind: "code"; readonly label: string; readonly text: string }
  | { readonly kind: "details"; readonly summary: string; readonly blocks: readonly Block[] };

export interface ReportDocument {
  readonly title: string;
  /** What was run, in a sentence or two. */
  readonly lead: string;
  readonly blocks: readonly Block[];
  /** What follows on sheets of its own where the page is printed. */
  readonly appendix?: readonly Block[];
}

export const heading = (level: 2 | 3, text: string): Block => ({ kind: "heading", level, text });
export const paragraph = (text: string): Block => ({ kind: "paragraph", text });
