/** Events of a producer whose schema is another than ours. */
import { afterEach, expect, test } from '@jest/globals';
import { openCodec } from '@millrace/avro';
import { topicsOf, valueSubject } from '@millrace/contracts';
import type { SimulatedEvent } from '@millrace/pipelines';
import { murmur2Partition } from '@millrace/stream';
import {
  openTown, publish, readVectors, type RunningService, someEvents, startService, testPipeline, type Town, until, valueOf,
} from './town.ts'; // prettier-ignore

const running: RunningService[] = [];
const towns: Town[] = [];
afterEach(async () => {
  for (const service of running.splice(0)) await service.stop();
  for (const { broker } of towns.splice(0)) await broker.close();
});

const town = async (): Promise<Town> => {
  const at = await openTown();
  towns.push(at);
  return at;
};
const payments = someEvents(80).filter(({ stream }) => stream === 'transactions');
const topic = topicsOf(testPipeline).scored;

/** The fields in another order, one more, a narrower number, and none of where the event came from. */
async function publishForeign(
  { registry, broker, clock }: Town,
  events: readonly SimulatedEvent[],
): Promise<void> {
  const { schema } = (await registry.latest(valueSubject(topic)))!;
  const ours = JSON.parse(schema) as { readonly fields: readonly { readonly name: string }[] };
  const fields = ours.fields
    .filter(({ name }) => name !== 'lineage')
    .map(field => (field.name === 'sequence' ? { ...field, type: 'int' } : field))
    .toReversed();
  const writer = JSON.stringify({ ...ours, fields: [...fields, { name: 'more', type: 'string' }] });
  await registry.register('foreign-value', writer);
  const codec = await openCodec<object>(registry, { subject: 'foreign-value', schema: writer });
  const producer = await broker.producer();
  for (const event of events) {
    const key = Buffer.from(event.value.customerId);
    const value = codec.encode({ ...valueOf(event), more: 'nothing to us' });
    await producer.send([{ topic, partition: murmur2Partition(key, testPipeline.partitions), key, value }]);
    clock.shift(5);
  }
  await producer.close();
}

async function vectorsOf(at: Town): Promise<readonly unknown[]> {
  running.push(await startService(at, at.clock));
  await until(async () => (await readVectors(at)).length >= payments.length);
  const found = (await readVectors(at)).map(({ value, key, partition }) => {
    // Of the bytes, and of the time at which they came.
    const { inputHash: _, appendTime: __, ...rest } = value;
    return { key, partition, ...rest };
  });
  return found.toSorted((a, b) => a.sequence - b.sequence);
}

test('have the vectors that the same events have which our own schema wrote', async () => {
  const [own, foreign] = [await town(), await town()];
  await publish(own, payments);
  await publishForeign(foreign, payments);
  const wanted = await vectorsOf(own);
  expect(wanted).toHaveLength(payments.length);
  expect(await vectorsOf(foreign)).toEqual(wanted);
}); // prettier-ignore
