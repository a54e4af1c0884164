import { expect, test } from '@jest/globals';
import { openCodec } from '@millrace/avro';
import { asideTopic, catalogue, redriveHeaders, topicsOf } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { murmur2Partition } from '@millrace/stream';
import { captureStretches, datasetRows } from '../../src/dataset/rows.ts';
import { readLabels } from '../../src/evaluate/labels.ts';
import type { StreamValue } from '../../src/publish/publisher.ts';
import type { World } from '../../src/world/prepare.ts';
import { openWorld } from '../dataset/world.ts';

const DAY_MS = 86_400_000;
const AT = Date.UTC(2026, 0, 5, 12);
const EVER = Number.POSITIVE_INFINITY;
const evaluation = fraud.evaluation!;

const shared = {
  revision: 0,
  withdrawn: false,
  lineage: null,
  sequence: 0,
  customerId: 'C1',
  terminalId: 'T1',
};
const payment = (eventId: string, txAt: number): StreamValue => ({
  stream: 'transactions',
  value: { ...shared, eventId, txAt, amount: 10 },
});
const label = (isFraud: boolean, knownAt: number, more = {}): StreamValue => ({
  stream: 'labels',
  value: { ...shared, eventId: 'one', txAt: AT, isFraud, knownAt, ...more },
});

/** As `dlq redrive` sends it. */
const sendAgain = async ({ broker, registry }: World, { value }: StreamValue): Promise<void> => {
  const of = topicsOf(fraud).events['labels']!;
  const topic = asideTopic(of);
  const codec = await openCodec(registry, catalogue([fraud]).find(({ name }) => name === topic)!.value!);
  const headers = redriveHeaders({ source: { topic: of, partition: 0, offset: 0 }, count: 1 });
  const producer = await broker.producer();
  const key = Buffer.from('C1');
  const partition = murmur2Partition(key, fraud.partitions);
  await producer.send([{ topic, partition, key, value: codec.encode(value), headers }]);
  await producer.close();
};

/** What is known of the first payment by a time, and the share of frauds that the second one has of its terminal. */
const judged = async (labels: readonly StreamValue[], asOfMs = EVER, again?: StreamValue) => {
  const world = await openWorld([payment('one', AT), ...labels, payment('two', AT + 8 * DAY_MS)], fraud, []);
  if (again !== undefined) await sendAgain(world, again);
  const { known } = await readLabels(world, fraud, evaluation, asOfMs);
  const source = 'recomputed';
  const stretches = await captureStretches(world, fraud, source, evaluation);
  const all = { fromMs: 0, untilMs: EVER, asOfMs };
  const { rows } = await datasetRows(world, fraud, { source, set: 1, evaluation, ...all, stretches });
  const risk = Object.keys(fraud.features.inputs).length + fraud.features.views.flatMap(view => Object.keys(view.features)).indexOf('terminalRisk7d'); // prettier-ignore
  return { truth: known.get('one')?.truth, row: rows[0]!.truth, risk: rows[1]!.features[risk] };
};

test.each([
  ['comes later', [label(true, AT + DAY_MS), label(false, AT + 2 * DAY_MS)]],
  ['came before it, and became known later', [label(false, AT + 2 * DAY_MS), label(true, AT + DAY_MS)]],
  ['stands behind it', [label(true, AT + DAY_MS), label(false, AT + DAY_MS)]],
  ['has a higher sequence', [label(false, AT + DAY_MS, { sequence: 1 }), label(true, AT + DAY_MS)]],
])('of one revision that is there twice the one that %s has no effect, as in the fold', async (_, labels) => {
  expect(await judged(labels)).toEqual({ truth: true, row: true, risk: 1 });
});

test('a higher revision takes its place from when it was known', async () => {
  const labels = [label(true, AT + DAY_MS), label(false, AT + 2 * DAY_MS, { revision: 1 })];
  expect(await judged(labels)).toEqual({ truth: false, row: false, risk: 0 });
  expect((await judged(labels, AT + DAY_MS)).truth).toBe(true);
});

test('one that was sent again from the dead letters is a label like any other', async () => {
  expect(await judged([], EVER, label(true, AT + DAY_MS))).toEqual({ truth: true, row: true, risk: 1 });
});
