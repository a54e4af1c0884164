import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from '@jest/globals';
import { fileRows, type Mapping, parseMapping } from '../../src/publish/rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-rows-'));
afterAll(() => rmSync(folder, { recursive: true }));

const collect = async (rows: AsyncIterable<unknown>): Promise<unknown[]> => {
  const all: unknown[] = [];
  for await (const row of rows) all.push(row);
  return all;
};

const read = async (name: string, content: string | Buffer, mapping?: Mapping): Promise<unknown[]> => {
  const file = join(folder, name);
  writeFileSync(file, content);
  return collect(fileRows(file, { stdin: Readable.from([]), ...(mapping && { mapping }) }));
};

test('CSV with a byte-order mark, quoted line breaks and padding is read by its header', async () => {
  expect(await read('a.csv', '\uFEFFid, text\n1,"a\nb"\n2, c \n')).toEqual([
    { id: '1', text: 'a\nb' },
    { id: '2', text: 'c' },
  ]);
});

test('a mapping takes fields from columns, one column may serve two fields', async () => {
  const mapping = parseMapping('eventId=ID,sequence=ID,amount=A');
  expect(await read('b.csv.gz', gzipSync('ID,A\n7,1.50\n'), mapping)).toEqual([
    { eventId: '7', sequence: '7', amount: '1.50' },
  ]);
});

test('a missing column is named with the columns there are', async () => {
  await expect(read('c.csv', 'ID\n7\n', { amount: 'A' })).rejects.toThrow(
    "line 2: there is no column 'A' for field 'amount'; columns: ID",
  );
});

test('NDJSON names the line it cannot read', async () => {
  expect(await read('d.ndjson', '{"a":1}\n\n{"a":2}\n')).toEqual([{ a: 1 }, { a: 2 }]);
  await expect(read('e.ndjson', '{"a":1}\n{oops\n')).rejects.toThrow(/^line 2: not a JSON object/);
});

test('a file that is not there is an error, not an empty file', async () => {
  await expect(collect(fileRows(join(folder, 'none.csv.gz'), { stdin: Readable.from([]) }))).rejects.toThrow(
    'ENOENT',
  );
});

test('a mapping that is no mapping is refused', () => {
  expect(() => parseMapping('eventId')).toThrow("found 'eventId'");
});
