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

export const section = (title: string, content: string): string => `<h2>${escape(title)}</h2>\n${content}`;

export const code = (text: string): string => `<code>${escape(text)}</code>`;
