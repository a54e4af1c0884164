import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Harness, startIngest, transaction } from '../harness.ts';

let ingest: Harness;
beforeAll(async () => {
  ingest = await startIngest();
});
afterAll(() => ingest.stop());

const names = fc.constantFrom(
  'eventId',
  'revision',
  'withdrawn',
  'sequence',
  'txAt',
  'customerId',
  'amount',
  '__proto__',
  'constructor',
);
const likely = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.nat(),
  fc.boolean(),
  fc.date({ noInvalidDate: true }),
);
const values = fc.oneof(
  { weight: 3, arbitrary: likely },
  { weight: 1, arbitrary: fc.jsonValue() },
  { weight: 1, arbitrary: fc.double() },
  { weight: 1, arbitrary: fc.bigInt().map(String) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
);

/** A transaction with some fields replaced: near enough to the schema to get far. */
const nearly = fc.array(fc.tuple(names, values), { maxLength: 2 }).map(changes => {
  const event = new Map<string, unknown>([...Object.entries(transaction()), ...changes]);
  return `{${[...event].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value) ?? 'null'}`).join(',')}}`;
});

test('no JSON makes it fail: it is accepted or refused with the reason, and what was accepted can be read', async () => {
  const body = fc.oneof(
    nearly,
    fc.json(),
    fc.array(nearly, { maxLength: 4 }).map(all => `[${all.join(',')}]`),
  );
  const types = fc.constantFrom(
    'application/json',
    'application/json',
    'application/json',
    'application/x-ndjson',
    'application/cloudevents+json',
    'application/cloudevents-batch+json',
  );
  await fc.assert(
    fc.asyncProperty(body, types, async (text, type) => {
      const { status } = await ingest.post(text, { 'content-type': type });
      expect([202, 207, 400, 413, 422]).toContain(status);
    }),
    { numRuns: 1_500 },
  );
  const accepted = ingest.counts.get('millrace_ingest_events_total fraud transactions accepted') ?? 0;
  const records = await ingest.records();
  expect(accepted).toBeGreaterThan(100);
  expect(records).toHaveLength(accepted);
  for (const { key, value } of records) expect(value['customerId']).toBe(key);
});

test('no bytes make it fail', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async bytes => {
      const { status } = await ingest.post(Buffer.from(bytes));
      expect([202, 207, 400, 413, 422]).toContain(status);
    }),
    { numRuns: 300 },
  );
});
