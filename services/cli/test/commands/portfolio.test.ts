import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from '@jest/globals';
import { Bad, memoryRegistry } from '@millrace/avro';
import { topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { credit, loans } from '@millrace/pipelines';
import { memoryBroker } from '@millrace/stream';
import { turnedClock } from '@millrace/telemetry';
import {
  type PortfolioCounts,
  publishPortfolio,
  type PortfolioOptions,
} from '../../src/commands/portfolio.ts';
import { UsageError } from '../../src/io.ts';
import { prepare, type World } from '../../src/world/prepare.ts';
import { valuesOf } from '../../src/world/slice.ts';
import { fakeIo } from '../fakeIo.ts'; // prettier-ignore

/** Tens of thousands of rows, on a machine that has other work. */
const LIMIT_MS = 180_000;
const folder = mkdtempSync(join(tmpdir(), 'millrace-portfolio-'));
afterAll(() => rmSync(folder, { recursive: true }));
const REJECTS = join(folder, 'rejects.ndjson');

const openWorld = async (): Promise<World> => {
  const clock = turnedClock(Date.parse('2026-03-01T00:00:00Z'));
  const world = { broker: memoryBroker({ clock }), registry: memoryRegistry(), clock };
  await prepare(world, [credit, loans], () => '1');
  return world;
};

type Printed = PortfolioCounts & {
  readonly reasons: Record<string, number>;
  readonly rejects: string | null;
};

const send = async (world: World, pipeline: Pipeline, options: Partial<PortfolioOptions>): Promise<Printed> => {
  const io = fakeIo();
  rmSync(REJECTS, { force: true });
  const all = { portfolio: 'hmeq:q1', files: undefined, rejects: REJECTS, pace: {}, output: 'json', ...options } as const;
  expect(await publishPortfolio(io, world, pipeline, all)).toBe(0);
  return JSON.parse(io.data[0]!) as Printed;
}; // prettier-ignore

const fileOf = (name: string, content: string | Buffer): string => {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
};

const on = async (world: World, pipeline: Pipeline, stream: string): Promise<Record<string, unknown>[]> => {
  const found: Record<string, unknown>[] = [];
  const records = valuesOf<Record<string, unknown>>(world, pipeline, topicsOf(pipeline).events[stream]!);
  for await (const { value } of records) if (value !== null && !(value instanceof Bad)) found.push(value);
  return found.sort((a, b) => String(a['eventId']).localeCompare(String(b['eventId']), 'en', { numeric: true })); // prettier-ignore
};

const HEADER =
  '"BAD","LOAN","MORTDUE","VALUE","REASON","JOB","YOJ","DEROG","DELINQ","CLAGE","NINQ","CLNO","DEBTINC"';
const GOOD = '"           1","        1700","18782.569732","       40320","HomeImp","Other","           9","           0","           0","101.46600191","           1","           8","37.113613558"'; // prettier-ignore
const PLAIN = '0,26800,46236,62711,DebtCon,Office,17,0,0,175.075058,1,22,33.05993364';

test('what is written untidily and means one thing only is read: byte-order mark, padding, empty cells, line ends', async () => {
  const world = await openWorld();
  const empty = '1,26900,,126972,,"  ",0,,0,315.8189112,0,23,';
  const file = fileOf(
    'untidy.csv',
    `\uFEFF${HEADER}\r\n${GOOD}\r\n\r\n${empty}\r\n ${PLAIN.replace(',', ' , ')}`,
  );
  const counts = await send(world, loans, { files: [file] });
  expect(counts).toMatchObject({ rows: 3, rejected: 0, sent: { loans: 3, outcomes: 3 }, rejects: null });
  expect(existsSync(REJECTS)).toBe(false);
  const [first, second, third] = await on(world, loans, 'loans');
  // Rows are counted by lines, so that one more or less before them would not go unseen.
  expect([first, second, third].map(loan => loan!['loanId'])).toEqual(['hmeq-1', 'hmeq-3', 'hmeq-4']);
  expect(first).toMatchObject({
    eventId: 'hmeq-1-2025-03-31', revision: 0, recordedAt: Date.parse('2025-03-31T00:00:00Z'), amount: 1700, mortgageDue: 18782.569732,
    propertyValue: 40320, reason: 'HomeImp', yearsOnJob: 9, debtToIncome: 37.113613558, lineage: { source: 'hmeq:q1', producer: 'millrace publish' },
  }); // prettier-ignore
  expect(second).toMatchObject({ mortgageDue: null, reason: null, job: null, derogatoryReports: null, debtToIncome: null, delinquentLines: 0 }); // prettier-ignore
  expect(third).toMatchObject({ amount: 26800 });
  expect((await on(world, loans, 'outcomes')).map(one => [one['eventId'], one['defaulted'], one['knownAt']])).toEqual(
    [['hmeq-1', true], ['hmeq-3', true], ['hmeq-4', false]].map(([id, bad]) => [`${id as string}-2025-03-31`, bad, Date.parse('2025-06-30T00:00:00Z')]),
  ); // prettier-ignore
});

/** Lines that cannot be used, and what is said of each. */
const BROKEN: readonly (readonly [line: string | Buffer, reason: string, message: string])[] = [
  ['0,26800,46236', 'column-count', 'the line has 3 columns, and the header 13'],
  [`${PLAIN},9`, 'column-count', 'the line has 14 columns'],
  [PLAIN.replace('26800', ''), 'empty', 'column LOAN is empty; amount is required'],
  [PLAIN.replace('26800', '26 800'), 'bad-value', 'column LOAN: amount is a text of 6 characters; send a finite number'],
  [PLAIN.replace('46236', '"46,236"'), 'bad-value', 'column MORTDUE: mortgageDue is a text of 6 characters'],
  [PLAIN.replace('26800', 'NaN'), 'bad-value', 'column LOAN'],
  [PLAIN.replace(/^0/, '2'), 'bad-value', 'column BAD says neither 1 nor 0'],
  [PLAIN.replace('Office', '"Office'), 'quoting', 'its quotes do not pair'],
  [Buffer.from(PLAIN.replace('Office', 'Offic\xe9'), 'latin1'), 'not-utf8', 'the line is not UTF-8'],
  [PLAIN.replace('Office', 'O'.repeat(70_000)), 'too-long', 'at most 65536 are read'],
]; // prettier-ignore

test('what cannot be used is kept with its reason, spoils no other row, and the counts add up', async () => {
  const world = await openWorld();
  const lines = [HEADER, ...BROKEN.flatMap(([line]) => [line, PLAIN]), PLAIN.replace(/^0/, '')];
  const file = fileOf('broken.csv.gz', gzipSync(Buffer.concat(lines.flatMap(line => [Buffer.from(line), Buffer.from('\n')])))); // prettier-ignore
  const counts = await send(world, loans, { files: [file] });
  const good = BROKEN.length + 1;
  expect(counts).toMatchObject({
    rows: BROKEN.length + good, rejected: BROKEN.length, withoutOutcome: 1, sent: { loans: good, outcomes: good - 1 }, there: { loans: 0, outcomes: 0 },
    reasons: { 'column-count': 2, empty: 1, 'bad-value': 4, quoting: 1, 'not-utf8': 1, 'too-long': 1 }, rejects: REJECTS,
  }); // prettier-ignore
  const kept = readFileSync(REJECTS, 'utf8').trim().split('\n').map(line => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
  expect(kept).toHaveLength(BROKEN.length);
  BROKEN.forEach(([line, reason, message], i) => {
    expect(kept[i]).toMatchObject({ file, line: 2 + 2 * i, reason, text: line.toString() });
    expect(kept[i]!['message']).toContain(message);
  });
  expect(await on(world, loans, 'loans')).toHaveLength(good);
});

test('sent twice it adds nothing, and a row that says something else under the same id is no second record', async () => {
  const world = await openWorld();
  const before = fileOf('before.csv', `${HEADER}\n${PLAIN}\n${GOOD}\n`);
  await send(world, loans, { files: [before] });
  const again = { rejected: 0, sent: { loans: 0, outcomes: 0 }, there: { loans: 2, outcomes: 2 } };
  expect(await send(world, loans, { files: [before] })).toMatchObject(again);
  const after = fileOf('after.csv', `${HEADER}\n${PLAIN}\n${GOOD.replace('1700', '1800')}\n${PLAIN}\n`);
  expect(await send(world, loans, { files: [after] })).toMatchObject({
    rows: 3, rejected: 1, reasons: { 'other-record': 1 }, sent: { loans: 1, outcomes: 1 }, there: { loans: 1, outcomes: 1 },
  }); // prettier-ignore
  expect((await on(world, loans, 'loans')).map(one => one['amount'])).toEqual([26800, 1700, 26800]);
  // The same loans a quarter later are other records.
  expect(await send(world, loans, { portfolio: 'hmeq:q2', files: [before] })).toMatchObject({
    sent: { loans: 2 },
  });
});

test('two rows with one number: the same again adds nothing, another one is rejected', async () => {
  const world = await openWorld();
  const header = `ID,LIMIT_BAL,SEX,EDUCATION,MARRIAGE,AGE,${['PAY_', 'BILL_AMT', 'PAY_AMT'].flatMap(name => [1, 2, 3, 4, 5, 6].map(m => `${name}${m}`)).join(',')},TARGET`;
  const row = `7,50000.0,2,3,1,31.0,${Array.from({ length: 18 }, () => '0').join(',')},1`;
  const lines = [header, row, row, row.replace('50000', '60000'), row.replace('7', 'seven'), row.replace('2,3', '2.5,3')];
  expect(await send(world, credit, { portfolio: 'taiwan:test', files: [fileOf('twice.csv', lines.join('\n'))] })).toMatchObject({
    rows: 5, rejected: 3, sent: { clients: 1, outcomes: 1 }, there: { clients: 1, outcomes: 1 }, reasons: { 'other-record': 1, 'bad-value': 2 },
  });
  expect(await on(world, credit, 'clients')).toMatchObject([{ clientId: 'taiwan-7', age: 31, sex: 2 }]);
  expect(await on(world, credit, 'outcomes')).toMatchObject([{ eventId: 'taiwan-7-2005-10-01', defaulted: false }]);
}); // prettier-ignore

test('a file of another form is refused as a whole, by what it lacks', async () => {
  const world = await openWorld();
  const refused = (name: string, content: string) => send(world, loans, { files: [fileOf(name, content)] });
  await expect(refused('other.csv', 'a,b\n1,2\n')).rejects.toThrow('has no column LOAN, MORTDUE');
  await expect(refused('double.csv', `${HEADER},LOAN\n`)).rejects.toThrow('has two columns LOAN');
  await expect(refused('nothing.csv', '\n\n')).rejects.toThrow('is empty');
  await expect(send(world, loans, { files: [join(folder, 'none.csv.gz')] })).rejects.toThrow('ENOENT');
  await expect(send(world, credit, {})).rejects.toThrow(UsageError);
  await expect(send(world, loans, { portfolio: 'hmeq', files: ['one.csv'] })).rejects.toThrow(
    '1 for 4 parts',
  );
});

test(
  'the portfolios that ship are sent to the last row, empty cells too',
  async () => {
    const world = await openWorld();
    expect(await send(world, credit, { portfolio: 'taiwan:test' })).toMatchObject({
    rows: 7_500, rejected: 0, withoutOutcome: 0, sent: { clients: 7_500, outcomes: 7_500 },
  }); // prettier-ignore
    expect(await send(world, loans, { portfolio: 'hmeq:book,q1,q2,q3' })).toMatchObject({
    rows: 5_960 + 3 * 3_364, rejected: 0, withoutOutcome: 0, sent: { loans: 5_960 + 3 * 3_364, outcomes: 5_960 + 3 * 3_364 },
  }); // prettier-ignore
    const sent = await on(world, loans, 'loans');
    // As counted at the origin of the data.
    expect(sent.filter(loan => loan['debtToIncome'] === null)).toHaveLength(1_267);
    expect(new Set(sent.map(loan => loan['loanId'])).size).toBe(5_960 + 3_364);
  },
  LIMIT_MS,
);
