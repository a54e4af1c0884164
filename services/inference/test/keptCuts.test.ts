import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { localCodec } from '@millrace/avro';
import type { Cuts as CutsValue } from '@millrace/contracts';
import { memoryBroker } from '@millrace/stream';
import { systemClock } from '@millrace/telemetry';
import { readCuts } from '../src/keptCuts.ts';

const TOPIC = 'fraud.inference.cuts';
const schema = readFileSync(join(import.meta.dirname, '../../../schemas/millrace/cuts.avsc'), 'utf8');
const codec = localCodec<CutsValue>(schema, 1);
const cut = (version: number) => ({ version, from: [version] });
const record = (cuts: readonly ReturnType<typeof cut>[]) => ({
  topic: TOPIC,
  partition: 0,
  key: Buffer.from('0'),
  value: codec.encode({ task: 0, at: 1_700_000_000_000, cuts: [...cuts] }),
});

test('a cut whose transaction has not ended when it is asked for is not passed over', async () => {
  const broker = memoryBroker({ clock: systemClock });
  const { signal } = new AbortController();
  await broker.admin.createTopics([{ name: TOPIC, partitions: 1 }]);
  const producer = await broker.transactionalProducer('an owner before');
  await producer.send([record([cut(1)])]);
  await producer.commit();
  await producer.send([record([cut(1), cut(2)])]);
  let isRead = false;
  const found = readCuts(broker, TOPIC, codec, 0, signal).finally(() => (isRead = true));
  await systemClock.sleep(50);
  expect(isRead).toBe(false);
  await producer.commit();
  expect(await found).toEqual([cut(1), cut(2)]);
  await broker.close();
});
