/**
 * Rows of a file as JSON objects, in file order: CSV with a header line, or NDJSON; gzip where the name ends in `.gz`.
 * A column mapping names, for each field, the column it is taken from.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';

export type Mapping = Readonly<Record<string, string>>; // field -> column
export type Row = Readonly<Record<string, unknown>>;

/** `eventId=TRANSACTION_ID,txAt=TX_DATETIME`; throws a RangeError that names what is wrong. */
export const parseMapping = (text: string): Mapping =>
  Object.fromEntries(
    text.split(',').map(pair => {
      const at = pair.indexOf('=');
      if (at < 1 || at === pair.length - 1)
        throw new RangeError(`--map: expected FIELD=COLUMN[,FIELD=COLUMN…], found '${pair}'`);
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    }),
  );

const applyMapping = (
  row: Readonly<Record<string, string>>,
  mapping: Mapping | undefined,
  line: number,
): Row => {
  if (mapping === undefined) return row;
  return Object.fromEntries(
    Object.entries(mapping).map(([field, column]) => {
      const value = row[column];
      if (value === undefined)
        throw new RangeError(
          `line ${line}: there is no column '${column}' for field '${field}'; columns: ${Object.keys(row).join(', ')}`,
        );
      return [field, value];
    }),
  );
};

async function* csvRows(stream: Readable, mapping: Mapping | undefined): AsyncGenerator<Row> {
  const parser = stream.pipe(parse({ columns: true, bom: true, trim: true, skip_empty_lines: true }));
  stream.on('error', error => parser.destroy(error));
  let line = 1;
  for await (const row of parser) yield applyMapping(row as Record<string, string>, mapping, ++line);
}

async function* ndjsonRows(stream: Readable): AsyncGenerator<Row> {
  let line = 0;
  for await (const text of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    line++;
    if (text.trim() === '') continue;
    try {
      yield JSON.parse(text) as Row;
    } catch (error) {
      throw new RangeError(`line ${line}: not a JSON object (${(error as Error).message})`, { cause: error });
    }
  }
}

/** @param file a path, or `-` for `stdin`. @throws RangeError naming the line of what cannot be read */
export const fileRows = (
  file: string,
  options: { readonly mapping?: Mapping; readonly stdin: Readable },
): AsyncGenerator<Row> => {
  const raw = file === '-' ? options.stdin : createReadStream(file);
  const plain = file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw;
  if (plain !== raw) raw.on('error', (error: Error) => plain.destroy(error));
  const csv = /\.csv(\.gz)?$/.test(file) || options.mapping !== undefined;
  return csv ? csvRows(plain, options.mapping) : ndjsonRows(plain);
};
