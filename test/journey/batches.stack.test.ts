/** The record batches that we write, read by the clients of others: librdkafka with checksums on, and Kafka's own. */
import { beforeAll, expect, test } from '@jest/globals';
import { kafkaBroker, type OutRecord } from '@millrace/stream';
import { noLogger, systemClock } from '@millrace/telemetry';
import { kafkaTool } from '../chaos/rig/tools.ts';
import { describeUnless } from '../jest/skip.ts';
import { describeStack, noStack, stackAddresses, uniqueName } from '../jest/stack.ts';
import { findPython, runScript } from './python.ts';

const LIMIT_MS = 120_000;
const python = noStack === undefined ? await findPython() : { missing: noStack };
const topic = uniqueName('batches');
const text = (value: string): Uint8Array => Buffer.from(value);

/** Sizes on both sides of where a length takes another byte; missing keys and values; headers in order, names twice. */
const records = (prefix: string, more: readonly OutRecord[] = []): readonly OutRecord[] => [
  ...[0, 1, 48, 63, 64, 127, 128, 8_191, 8_192, 100_000].map(size => ({
    topic,
    partition: 0,
    key: text(`${prefix}-${size}`),
    value: text('v'.repeat(size)),
  })),
  { topic, partition: 0, key: null, value: text(`${prefix} without a key`) },
  { topic, partition: 0, key: text(`${prefix} without a value`), value: null },
  {
    topic,
    partition: 0,
    key: text(prefix),
    value: text('with headers'),
    headers: [
      ['b', text('1')],
      ['a', text('2')],
      ['b', text('3')],
      ['ünïcode', text('4')],
      ['empty', text('')],
    ],
  },
  ...more,
];
const plain = records('plain');
const many = Array.from({ length: 300 }, (_, i) => ({ topic, partition: 0, key: text(`${i}`), value: text(`number ${i}`) })); // prettier-ignore
const committed = records('committed', many);
const visible = [...plain, ...committed];

beforeAll(async () => {
  if (noStack !== undefined) return;
  const clock = systemClock;
  const broker = kafkaBroker({ bootstrapServers: stackAddresses().kafka, clientId: 'batches', logger: noLogger, clock }); // prettier-ignore
  await broker.admin.createTopics([{ name: topic, partitions: 1 }]);
  await (await broker.producer()).send(plain);
  const [aborting, committing] = await Promise.all(
    ['aborting', 'committing'].map(name => broker.transactionalProducer(`${topic}-${name}`)),
  );
  await aborting!.send(records('aborted'));
  await committing!.send(committed);
  await aborting!.send(records('aborted again'));
  await committing!.commit();
  await aborting!.abort();
  await broker.close();
}, LIMIT_MS);

describeUnless('missing' in python ? python.missing : undefined)('librdkafka', () => {
  test(
    'reads key, value and headers of each committed record, in order',
    async () => {
      const where = { bootstrap: stackAddresses().kafka, topic, count: String(visible.length) };
      const lines = await runScript('path' in python ? python.path : '', 'partition.py', where);
      const hex = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString('hex')); // prettier-ignore
      expect(lines.map(line => JSON.parse(line) as unknown)).toEqual(
        visible.map(({ key, value, headers = [] }) => ({
          key: hex(key),
          value: hex(value),
          headers: headers.map(([name, of]) => [name, hex(of)]),
        })),
      );
    },
    LIMIT_MS,
  );
});

describeStack("Kafka's console consumer", () => {
  test(
    'reads key, value and headers of each committed record, in order',
    async () => {
      const said = await kafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
        ...`--bootstrap-server ${stackAddresses().kafka} --topic ${topic} --partition 0 --offset earliest`.split(
          ' ',
        ),
        ...`--isolation-level read_committed --max-messages ${visible.length} --timeout-ms 30000`.split(' '),
        ...'--formatter-property print.key=true --formatter-property print.headers=true'.split(' '),
      ]);
      const utf8 = (bytes: Uint8Array | null): string => (bytes === null ? 'null' : Buffer.from(bytes).toString('utf8')); // prettier-ignore
      expect(said.trimEnd().split('\n')).toEqual(
        visible.map(({ key, value, headers = [] }) => {
          const named = headers.map(([name, of]) => `${name}:${utf8(of)}`).join(',');
          return [named === '' ? 'NO_HEADERS' : named, utf8(key), utf8(value)].join('\t');
        }),
      );
    },
    LIMIT_MS,
  );
});
