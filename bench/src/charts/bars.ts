/** A bar chart as SVG: the same figures give the same text. Pure. */

export interface Bar {
  readonly name: string;
  readonly value: number;
  /** Ours, which stands out. */
  readonly ours: boolean;
}

export interface Chart {
  readonly title: string;
  /** A line under the title. */
  readonly note: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 720;
const LABEL_WIDTH = 190;
const VALUE_WIDTH = 70;
const TOP = 62;
const ROW = 26;
const BAR = 18;
const OURS = '#1f6feb';
const THEIRS = '#8c959f';

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

const text = (x: number, y: number, attributes: string, content: string): string =>
  `<text x="${x}" y="${y}" ${attributes}>${escaped(content)}</text>`;

/** Three digits that say something. */
export const figure = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));

export const barChart = ({ title, note, bars }: Chart): string => {
  const most = Math.max(...bars.map(({ value }) => value));
  const room = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
  const height = TOP + bars.length * ROW + 10;
  const rows = bars.flatMap(({ name, value, ours }, i) => {
    const y = TOP + i * ROW;
    const width = Math.max(1, Math.round((value / most) * room));
    const middle = y + BAR - 5;
    return [
      text(LABEL_WIDTH - 8, middle, 'text-anchor="end"', name),
      `<rect x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR}" rx="2" fill="${ours ? OURS : THEIRS}"/>`,
      text(LABEL_WIDTH + width + 6, middle, '', figure(value)),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(12, 24, 'font-size="16" font-weight="bold"', title),
    text(12, 44, 'fill="#57606a"', note),
    ...rows,
    '</svg>',
    '',
  ].join('\n');
};
