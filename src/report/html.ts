// A report as one self-contained HTML page.
import type { Block, DataTable, Doubt, ReportDocument } from "./document.js";
import { inline, type Figure } from "./figure.js";
import { page } from "./page.js";
import { groupBy } from "./table.js";
import { escapeMarkup as escape, sentence } from "./text.js";

/** The head in one row, or in two where columns stand under the name of a group. */
function tableHead({ corner, columns }: DataTable): string {
  const grouped = columns.some(({ group }) => group !== null);
  const th = (name: string, attributes: string): string => `<th ${attributes}>${escape(name)}</th>`;
  if (!grouped)
    return `<tr>${[{ name: corner, words: false }, ...columns].map(({ name, words }) => th(name, words === true ? 'scope="col" class="words"' : 'scope="col"')).join("")}</tr>`;
  const groups = [...groupBy(columns, ({ group }) => group)];
  const upper = groups.flatMap(([group, members]) =>
    group === null
      ? members.map(({ name }) => th(name, 'scope="col" rowspan="2"'))
      : [th(group, `scope="colgroup" colspan="${members.length}"`)],
  );
  const lower = columns.filter(({ group }) => group !== null).map(({ name }) => th(name, 'scope="col"'));
  return `<tr>${th(corner, 'scope="col" rowspan="2"')}${upper.join("")}</tr>\n<tr>${lower.join("")}</tr>`;
}

function table(data: DataTable): string {
  const cell = (content: string, at: number): string => {
    const words = data.columns[at]?.words === true ? ' class="words"' : "";
    return `<td${words}>${escape(content)}</td>`;
  };
  const rows = data.rows.map(
    ({ name, cells }) => `<tr><th scope="row">${escape(name)}</th>${cells.map(cell).join("")}</tr>`,
  );
  return `<div class="scroll" role="region" aria-label="${escape(data.caption)}" tabindex="0">
<table>
<caption><span>${escape(data.caption)}</span></caption>
<thead>
${tableHead(data)}
</thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>
</div>`;
}

const doubt = ({ subject, message, remedy }: Doubt): string =>
  `<li><p><strong>${escape(subject)}</strong></p><p>${escape(sentence(message))}</p><p>Remedy: ${escape(sentence(remedy))}</p></li>`;

const figureMarkup = (figure: Figure): string => `<h3>${escape(figure.title)}</h3>
<figure>
<div class="panels">
${inline(figure)}
</div>
<figcaption>${escape(figure.caption)}</figcaption>
</figure>`;

/** Lines of code keep their breaks; every line is escaped on its own. */
const code = (text: string): string => text.trimEnd().split("\n").map(escapeLine).join("\n");
const escapeLine = (text: string): string => {
  const indent = /^ */.exec(text)?.[0] ?? "";
  return indent + escape(text.slice(indent.length));
};

function block(each: Block): string {
  switch (each.kind) {
    case "heading":
      return `<h${each.level}>${escape(each.text)}</h${each.level}>`;
    case "paragraph":
      return `<p>${escape(each.text)}</p>`;
    case "doubts":
      return `<ul class="doubts">${each.doubts.map(doubt).join("\n")}</ul>`;
    case "table":
      return table(each.table);
    case "facts":
      return `<dl>${each.facts.map(([term, value]) => `<dt>${escape(term)}</dt><dd>${escape(value)}</dd>`).join("\n")}</dl>`;
    case "figure":
      return figureMarkup(each.figure);
    case "columns":
      return `<div class="columns">${each.blocks.map((part) => `<div>${block(part)}</div>`).join("\n")}</div>`;
    case "code":
      return `<pre role="region" aria-label="${escape(each.label)}" tabindex="0">${code(each.text)}</pre>`;
    case "details":
      return `<details>\n<summary>${escape(each.summary)}</summary>\n${each.blocks.map(block).join("\n")}\n</details>`;
  }
}

/** `report.html`. */
export const html = ({ title, lead, blocks, appendix = [] }: ReportDocument): string =>
  page(
    title,
    `<p class="brand">Temper report</p>
<h1>${escape(title)}</h1>
<p class="lead">${escape(lead)}</p>
${blocks.map(block).join("\n")}${
      appendix.length === 0
        ? ""
        : `\n<section class="appendix">\n${appendix.map(block).join("\n")}\n</section>`
    }`,
  );
