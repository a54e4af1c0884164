import type { ProtocolRequest } from '../../src/kafka/internals.ts';
import { loadSource } from './patch/load.ts';

/** Decoders of kafkajs, for what we encode. */
interface Decoder {
  readInt16(): number;
  readInt32(): number;
  readString(): string | null;
  readBytes(length: number): Buffer;
  readArrayAsync<T>(read: (decoder: Decoder) => Promise<T>): Promise<T[]>;
}
const DecoderOf = loadSource('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => Decoder;
const decodeBatch = loadSource('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  decoder: Decoder,
) => Promise<{
  readonly firstSequence: number;
  readonly records: readonly { readonly value: Buffer }[];
}>;
const { errorCodes } = loadSource('kafkajs/src/protocol/error') as {
  errorCodes: readonly { readonly type: string; readonly code: number }[];
};

export interface Produced {
  readonly partition: number;
  readonly firstSequence: number;
  readonly values: readonly string[];
}

/** The batches of an encoded Produce request. */
export const readProduced = async ({ request }: ProtocolRequest): Promise<readonly Produced[]> => {
  const { buffer } = await request.encode();
  const decoder = new DecoderOf(buffer);
  decoder.readString();
  decoder.readInt16();
  decoder.readInt32();
  const topics = await decoder.readArrayAsync(async ofTopic => {
    ofTopic.readString();
    return ofTopic.readArrayAsync(async of => {
      const partition = of.readInt32();
      const { firstSequence, records } = await decodeBatch(new DecoderOf(of.readBytes(of.readInt32())));
      return { partition, firstSequence, values: records.map(({ value }) => value.toString()) };
    });
  });
  return topics.flat();
};

/** The answer of a broker with an error, or none, for each partition. */
export const answerProduced = async (
  { response }: ProtocolRequest,
  errors: readonly (string | undefined)[],
): Promise<void> => {
  const head = Buffer.alloc(11);
  head.writeInt32BE(1, 0);
  head.writeInt16BE(1, 4);
  head.write('t', 6);
  head.writeInt32BE(errors.length, 7);
  const partitions = errors.map((type, i) => {
    const bytes = Buffer.alloc(30);
    bytes.writeInt32BE(i, 0);
    bytes.writeInt16BE(type === undefined ? 0 : errorCodes.find(one => one.type === type)!.code, 4);
    return bytes;
  });
  await response.parse(await response.decode(Buffer.concat([head, ...partitions, Buffer.alloc(4)])));
};
