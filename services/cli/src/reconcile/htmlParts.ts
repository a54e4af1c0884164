/** Pieces of a page. Whatever comes from a record is escaped. */
import { count } from './words.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export const escape = (text: string): string => text.replaceAll(/[&<>"']/g, sign => ENTITIES[sign]!);

/** Text is escaped, a number is set to the right; `html` is taken as it is. */
export type Cell = string | number | { readonly number: string } | { readonly html: string };

const inner = (cell: Cell): string => {
  if (typeof cell === 'number') return count(cell);
  if (typeof cell === 'string') return escape(cell);
  return 'number' in cell ? escape(cell.number) : cell.html;
};
const isNumber = (cell: Cell | undefined): boolean =>
  typeof cell === 'number' || (typeof cell === 'object' && 'number' in cell);

/** A column is set to the right where its first row has a number. */
export const table = (
  heads: readonly string[],
  rows: readonly (readonly Cell[])[],
  caption?: string,
): string => {
  const classOf = (i: number): string => (isNumber(rows[0]?.[i]) ? ' class="n"' : '');
  const head = heads.map((text, i) => `<th${classOf(i)}>${escape(text)}</th>`).join('');
  const body = rows
    .map(row => `<tr>${row.map((cell, i) => `<td${classOf(i)}>${inner(cell)}</td>`).join('')}</tr>`)
    .join('\n');
  const said = caption === undefined ? '' : `<caption>${escape(caption)}</caption>`;
  return `<table>${said}<thead><tr>${head}</tr></thead><tbody>\n${body}\n</tbody></table>\n`;
};

const STYLE = `
:root { color-scheme: light dark; --paper: #fff; --shade: #f6f8fa; --ink: #1d2733; --soft: #5b6775; --line: #d8dee5; --good: #1f7a4d; --bad: #b3261e; }
@media screen and (prefers-color-scheme: dark) {
  :root { --paper: #14181d; --shade: #1d232a; --ink: #e4e9ee; --soft: #9aa7b4; --line: #303944; --good: #4fb286; --bad: #ff8a80; }
}
body { margin: 2.5rem auto; max-width: 72rem; padding: 0 1.5rem; color: var(--ink); background: var(--paper);
  font: .95rem/1.5 system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; }
h1 { font-size: 1.5rem; font-weight: 600; margin: 0; }
h2 { font-size: 1.1rem; font-weight: 600; margin: 2.2rem 0 .6rem; }
p { margin: .4rem 0; max-width: 52rem; }
.soft, caption { color: var(--soft); }
.verdict { border-left: 5px solid var(--good); padding: .5rem 1rem; margin: 1.4rem 0; font-size: 1.1rem; background: var(--shade); }
.verdict.bad { border-color: var(--bad); }
table { border-collapse: collapse; width: 100%; margin: .4rem 0 1rem; }
caption { text-align: left; padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem; border-bottom: 1px solid var(--line); }
th { font-weight: 600; font-size: .85rem; color: var(--soft); }
th:first-child, td:first-child { padding-left: 0; min-width: 9rem; }
th:last-child, td:last-child { padding-right: 0; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code { font: .85em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.cause { font-weight: 600; } .answer { min-width: 16.5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.2rem; margin: .4rem 0; }
dt { font-weight: 600; } dd { margin: 0; max-width: 52rem; }
.sign { display: flex; gap: 2rem; margin-top: 4.5rem; max-width: none; } .sign span { flex: 1; border-top: 1px solid var(--ink); padding-top: .3rem; color: var(--soft); }
@media screen and (max-width: 48rem) { table { display: block; overflow-x: auto; } dl { display: block; } dd { margin-bottom: .6rem; } }
@page { size: A4; margin: 16mm 14mm; }
@media print {
  :root { font-size: 10.5px; } body { margin: 0; padding: 0; max-width: none; }
  th:first-child, td:first-child { min-width: 6.5rem; } .answer { min-width: 12.5rem; }
  .verdict { print-color-adjust: exact; } tbody tr:first-child { break-before: avoid; } h2, h2 + p, caption { break-after: avoid; } tr, dd, .sign { break-inside: avoid; } dl { break-inside: avoid; }
}
`;

export interface Page {
  /** What kind of report it is, of what, and when it was made. */
  readonly kind: string;
  readonly title: string;
  readonly at: string;
  readonly agrees: boolean;
  /** What was found, in a sentence. */
  readonly said: string;
  /** As HTML. */
  readonly body: string;
}

/** A report as one page that needs nothing beside itself. */
export const page = ({ kind, title, at, agrees, said, body }: Page): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(kind)} of ${escape(title)}</title><style>${STYLE}</style></head><body>
<p class="soft">Millrace · ${escape(kind)} · ${at.slice(0, 19).replace('T', ' ')} UTC</p>
<h1>${escape(title)}</h1>
<p class="verdict${agrees ? '' : ' bad'}">${escape(said)}</p>
${body}
</body></html>
`;

export const section = (title: string, content: string): string => `<h2>${escape(title)}</h2>\n${content}`;

export const code = (text: string): string => `<code>${escape(text)}</code>`;
