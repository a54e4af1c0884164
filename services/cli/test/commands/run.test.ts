import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { fraud, MODELS_FOLDER } from '@millrace/pipelines';
import { run } from '../../src/commands/run.ts';
import { fakeIo } from '../fakeIo.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-run-'));
afterAll(() => rmSync(folder, { recursive: true }));

const options = {
  labels: undefined,
  map: undefined,
  models: MODELS_FOLDER,
  modelVersion: '1',
  output: 'json' as const,
};

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

test('a file gets features worked out by hand, in event time, and a score', async () => {
  const input = file(
    'tx.csv',
    `eventId,txAt,customerId,terminalId,amount
late,2026-01-10T07:00:00Z,c,t,30
first,2026-01-03T03:00:00Z,c,t,10
second,2026-01-03T12:00:00Z,c,u,20
`,
  );
  const io = fakeIo();
  expect(await run(io, fraud, { ...options, input })).toBe(0);
  const rows = io.data.map(
    line =>
      JSON.parse(line) as { eventId: string; features: Record<string, number>; outputs: { score: number } },
  );
  expect(rows.map(r => r.eventId)).toEqual(['first', 'second', 'late']);
  // 3 January 2026 is a Saturday; at three it is night.
  expect(rows[0]!.features).toMatchObject({
    amount: 10,
    txDuringWeekend: 1,
    txDuringNight: 1,
    customerTxCount1d: 1,
    terminalTxCount7d: 0,
  });
  expect(rows[1]!.features).toMatchObject({
    txDuringNight: 0,
    customerTxCount1d: 2,
    customerAvgAmount1d: 15,
  });
  // A week later the first is out of the customer's seven days, and in the terminal's delayed ones.
  expect(rows[2]!.features).toMatchObject({
    customerTxCount7d: 2,
    customerAvgAmount7d: 25,
    customerTxCount30d: 3,
    terminalTxCount7d: 1,
  });
  for (const row of rows) expect(row.outputs.score).toBeGreaterThan(0);
});

test('labels count from when they became known', async () => {
  const input = file(
    'tx2.csv',
    `eventId,txAt,customerId,terminalId,amount\na,2026-01-01T00:00:00Z,c,t,1\nb,2026-01-09T00:00:00Z,d,t,1\n`,
  );
  const label = (knownAt: string): string =>
    file(
      'labels.ndjson',
      `${JSON.stringify({ eventId: 'a', txAt: '2026-01-01T00:00:00Z', knownAt, customerId: 'c', terminalId: 't', isFraud: true })}\n`,
    );
  const riskOfSecond = async (knownAt: string): Promise<number> => {
    const io = fakeIo();
    await run(io, fraud, { ...options, input, labels: label(knownAt) });
    return (JSON.parse(io.data[1]!) as { features: { terminalRisk7d: number } }).features.terminalRisk7d;
  };
  expect(await riskOfSecond('2026-01-08T00:00:00Z')).toBe(1);
  expect(await riskOfSecond('2026-01-10T00:00:00Z')).toBe(0);
});

test('a row that does not fit is named with its field, and nothing is printed', async () => {
  const input = file('bad.csv', `eventId,txAt,customerId,terminalId,amount\na,yesterday,c,t,1\n`);
  const io = fakeIo();
  await expect(run(io, fraud, { ...options, input })).rejects.toThrow(/record 1: .*txAt/);
  expect(io.data).toEqual([]);
});

test('a model of another feature set is refused', async () => {
  const input = file('tx3.csv', `eventId,txAt,customerId,terminalId,amount\na,2026-01-01T00:00:00Z,c,t,1\n`);
  const other = { ...fraud, features: { ...fraud.features, version: 2 } };
  await expect(run(fakeIo(), other, { ...options, input })).rejects.toThrow('train it again');
});
