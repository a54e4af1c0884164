/** Lines of a portfolio's file in their order, each read on its own, so that one that is broken spoils no other. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import type { Pipeline } from '@millrace/define';
import type { Portfolio } from '@millrace/pipelines';
import { portfolioRowReader, type PortfolioRow, type ReadRow, type Refused } from './portfolioRow.ts';

export interface PortfolioLine {
  /** From 1, the header's. */
  readonly line: number;
  readonly text: string;
  readonly row: PortfolioRow | Refused;
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const raw = createReadStream(file);
  const plain = file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw;
  if (plain !== raw) raw.on('error', (error: Error) => plain.destroy(error));
  const lines = createInterface({ input: plain.setEncoding('utf8'), crlfDelay: Number.POSITIVE_INFINITY });
  // A reader of lines does not hand on the errors of what it reads.
  let failed: Error | undefined;
  plain.on('error', (error: Error) => {
    failed = error;
    lines.close();
  });
  yield* lines;
  if (failed !== undefined) throw failed;
}

/**
 * Empty lines are passed over; they are no rows.
 * @throws RangeError where the header does not fit, or there is none
 */
export async function* portfolioLines(
  pipeline: Pipeline,
  portfolio: Portfolio,
  part: string,
  file: string,
): AsyncGenerator<PortfolioLine> {
  let line = 0;
  let read: ReadRow | undefined;
  for await (const text of linesOf(file)) {
    line++;
    if (text.trim() === '') continue;
    if (read === undefined) read = portfolioRowReader(pipeline, portfolio, part, file, text);
    else yield { line, text, row: read(text, line - 1) };
  }
  if (read === undefined) throw new RangeError(`${file} is empty: it needs a line with the names of its columns`);
} // prettier-ignore
