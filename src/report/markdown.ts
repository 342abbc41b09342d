// A report as Markdown, with links to the figures' files.
import type { Block, DataTable, Doubt, ReportDocument } from "./document.js";
import { escapeMarkdown as escape, sentence } from "./text.js";

const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

function table({ caption, corner, columns, rows }: DataTable): string {
  const names = columns.map(({ group, name }) => escape(group === null ? name : `${group}, ${name}`));
  const body = rows.map(({ name, cells }) => line([escape(name), ...cells.map(escape)]));
  return [
    `${escape(caption)}:`,
    "",
    line([corner, ...names]),
    line(["---", ...columns.map(({ words }) => (words === true ? "---" : "---:"))]),
    ...body,
  ].join("\n");
}

const doubt = ({ subject, message, remedy }: Doubt): string =>
  `- **${escape(subject)}**: ${escape(sentence(message))} Remedy: ${escape(sentence(remedy))}`;

/** A fence longer than any run of backticks in `text`. */
function code(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${text.trimEnd()}\n${fence}`;
}

function block(each: Block): string {
  switch (each.kind) {
    case "heading":
      return `${"#".repeat(each.level)} ${escape(each.text)}`;
    case "paragraph":
      return escape(each.text);
    case "doubts":
      return each.doubts.map(doubt).join("\n");
    case "table":
      return table(each.table);
    case "facts":
      return each.facts.map(([term, value]) => `- ${escape(term)}: ${escape(value)}`).join("\n");
    case "figure": {
      const { name, title, caption, alt } = each.figure;
      return `### ${escape(title)}\n\n![${escape(alt)}](figures/${name}.svg)\n\n${escape(caption)}`;
    }
    case "columns":
      return each.blocks.map(block).join("\n\n");
    case "code":
      return code(each.text);
    case "details":
      return [`### ${escape(each.summary)}`, ...each.blocks.map(block)].join("\n\n");
  }
}

/** `report.md`. */
export const markdown = ({ title, lead, blocks, appendix = [] }: ReportDocument): string =>
  `${[`# ${escape(title)}`, escape(lead), ...[...blocks, ...appendix].map(block)].join("\n\n")}\n`;
