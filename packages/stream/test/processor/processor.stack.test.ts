import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { noLogger, systemClock } from '@millrace/telemetry';
import { describeStack, stackAddresses } from '../../../../test/jest/stack.ts';
import type { Broker, OutRecord } from '../../src/broker/port.ts';
import { kafkaBroker } from '../../src/kafka/broker.ts';
import type { Processor } from '../../src/processor/options.ts';
import { perRecord } from '../../src/processor/perRecord.ts';
import { processor } from '../../src/processor/processor.ts';
import { unique } from '../broker/harness.ts';
import { bytes, eventually, type Outputs, readAll, text, textCodec } from './rig.ts';

const PARTITIONS = 6;
const RECORDS = 5_000;
const KEYS = 60;

describeStack('on a real cluster', () => {
  const name = unique('pipe');
  const topics = { in: name, out: `${name}.out`, letters: `${name}.dlq`, changelog: `${name}.changelog` };
  const brokers: Broker[] = [];
  const running: Processor[] = [];
  let broker: Broker;

  const connect = (): Broker => {
    const connected = kafkaBroker({
      bootstrapServers: stackAddresses().kafka,
      clientId: 'processor-test',
      logger: noLogger,
      clock: systemClock,
    });
    brokers.push(connected);
    return connected;
  };

  beforeAll(async () => {
    broker = connect();
    const compacted = { 'cleanup.policy': 'compact' };
    await broker.admin.createTopics([
      ...[topics.in, topics.out, topics.letters].map(topic => ({ name: topic, partitions: PARTITIONS })),
      { name: topics.changelog, partitions: PARTITIONS, config: compacted },
    ]);
  });

  afterAll(async () => {
    await Promise.all(running.map(one => one.stop(5_000)));
    await Promise.all(brokers.map(one => one.close()));
  });

  /** Numbers the records of each key in its state: what is lost, doubled or out of order shows in the numbers. */
  const member = async (): Promise<Processor> => {
    const started = processor<string, Outputs>({
      broker: connect(),
      group: name,
      inputs: [{ topic: topics.in, codec: textCodec }],
      outputs: { out: { topic: topics.out, codec: textCodec } },
      delivery: 'exactly_once',
      changelog: topics.changelog,
      commit: { intervalMs: 20 },
      createTask: ({ state }) => ({
        handle: perRecord<string, Outputs>((record, out) => {
          const key = text(record.key);
          const count = Number(text(state.get(key) ?? bytes('0'))) + 1;
          state.put(key, bytes(String(count)));
          out.emit('out', record.key!, `${count}:${record.value}`, record.partition);
        }),
      }),
    });
    running.push(started);
    await started.start(new AbortController().signal);
    return started;
  };

  const publish = async (from: number, to: number): Promise<void> => {
    const producer = await broker.producer();
    const record = (i: number): OutRecord => ({
      topic: topics.in,
      partition: (i % KEYS) % PARTITIONS,
      key: bytes(`k${i % KEYS}`),
      value: bytes(String(i)),
    });
    await producer.send(Array.from({ length: to - from }, (_, i) => record(from + i)));
    await producer.close();
  };
  const outCount = async (): Promise<number> =>
    (await broker.admin.committed(name, [topics.in])).reduce((sum, { offset }) => sum + offset, 0);
  const wave = RECORDS / 5;

  test('two members that come and go lose nothing, double nothing, and keep the order of each key', async () => {
    await publish(0, wave);
    const first = await member();
    await eventually('it works', async () => (await outCount()) > wave / 2);
    await publish(wave, 2 * wave);
    const second = await member();
    await publish(2 * wave, 3 * wave);
    await eventually('both work', async () => (await outCount()) > 2.5 * wave);
    await first.stop(5_000);
    await publish(3 * wave, 4 * wave);
    await member();
    await publish(4 * wave, RECORDS);
    await eventually('all is answered', async () => (await outCount()) === RECORDS, 60_000);
    await second.stop(5_000);

    const out = await readAll(broker, topics.out);
    expect(out).toHaveLength(RECORDS);
    const byKey = Map.groupBy(out, ({ key }) => key);
    expect(byKey.size).toBe(KEYS);
    for (let k = 0; k < KEYS; k++) {
      const expected = Array.from(
        { length: Math.ceil((RECORDS - k) / KEYS) },
        (_, n) => `${n + 1}:${k + n * KEYS}`,
      );
      expect(byKey.get(`k${k}`)!.map(({ value }) => value)).toEqual(expected);
    }
    expect(await readAll(broker, topics.letters)).toEqual([]);
  }, 120_000);
});
