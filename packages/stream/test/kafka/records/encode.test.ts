import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { OutRecord } from '../../../src/broker/port.ts';
import { recordBytesMax } from '../../../src/kafka/records/encode.ts';
import { Pieces } from '../../../src/broker/pieces.ts';
import { encodeProduce, type ProduceRequest } from '../../../src/kafka/produce.ts';
import { stockProduceRequest } from '../../../src/kafka/stock.ts';
import { loadSource } from '../patch/load.ts';

interface Encoded {
  readonly buffer: Buffer;
  size(): number;
}
const encodeRecord = loadSource('kafkajs/src/protocol/recordBatch/record/v0') as (of: object) => Encoded;
const stockRequest = loadSource('kafkajs/src/protocol/requests/produce/v7/request') as (of: object) => {
  encode(): Promise<Encoded>;
};

const pieces = new Pieces(1_000_000);

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
// Lengths on both sides of where a number takes another byte, and of where a copy is made in another way.
const sized = fc.oneof(
  bytes(70),
  fc.constantFrom(0, 47, 48, 49, 63, 64, 8_191, 8_192).map(n => new Uint8Array(n).fill(7)),
);
const header = fc.tuple(fc.string({ unit: 'grapheme', maxLength: 80 }), bytes(80));
const record = fc.record({
  topic: fc.constant('t'),
  partition: fc.constant(0),
  key: fc.option(sized),
  value: fc.option(sized),
  headers: fc.array(header, { maxLength: 5 }),
});

const partition = fc
  .tuple(fc.nat(2_000), fc.nat(2 ** 31 - 1), fc.array(record, { minLength: 1, maxLength: 80 }))
  .map(([number, firstSequence, records]) => ({
    partition: number,
    firstSequence,
    records,
    bytesMax: records.reduce((sum, one) => sum + recordBytesMax(one), 0),
  }));
const request: fc.Arbitrary<ProduceRequest> = fc
  .record({
    transactionalId: fc.option(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 })),
    producerId: fc.bigInt({ min: -1n, max: 2n ** 63n - 1n }).map(String),
    producerEpoch: fc.integer({ min: -1, max: 32_767 }),
    timeoutMs: fc.nat(60_000),
    timestampMs: fc.nat(2 ** 42),
    topics: fc.array(
      fc.record({
        topic: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
        partitions: fc.array(partition, { minLength: 1, maxLength: 3 }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  })
  .map(({ transactionalId, ...rest }) => (transactionalId === null ? rest : { transactionalId, ...rest }));

test('a request is, byte for byte, what kafkajs makes of the same records', async () => {
  await fc.assert(
    fc.asyncProperty(request, async asked => {
      const stock = await stockRequest(stockProduceRequest(asked)).encode();
      const encoded = encodeProduce(asked, pieces);
      expect(encoded.equals(stock.buffer)).toBe(true);
      // What the next one is written over.
      pieces.give(encoded);
    }),
  );
});

test('many records, whose numbers in the batch take more bytes', async () => {
  const records = Array.from({ length: 20_000 }, (_, i): OutRecord => ({ topic: 't', partition: 0, key: null, value: Buffer.from(String(i)) })); // prettier-ignore
  const bytesMax = records.reduce((sum, one) => sum + recordBytesMax(one), 0);
  const partitions = [{ partition: 0, firstSequence: 5, records, bytesMax }];
  const asked = { producerId: '7', producerEpoch: 1, timeoutMs: 1, timestampMs: 0, topics: [{ topic: 't', partitions }] }; // prettier-ignore
  const stock = await stockRequest(stockProduceRequest(asked)).encode();
  expect(encodeProduce(asked, pieces).equals(stock.buffer)).toBe(true);
});

test('a record is never larger when encoded than we count', () => {
  fc.assert(
    fc.property(record, one => {
      const headers = one.headers.map(([key, value]) => ({ key, value: Buffer.from(value) }));
      const largest = { offsetDelta: 2 ** 31 - 1, timestampDelta: 0 };
      const bytesOf = (of: Uint8Array | null) => (of === null ? null : Buffer.from(of));
      const encoded = encodeRecord({ key: bytesOf(one.key), value: bytesOf(one.value), headers, ...largest });
      expect(encoded.size()).toBeLessThanOrEqual(recordBytesMax(one));
    }),
  );
});
