import type { PartitionOffset } from '../broker/port.ts';
import { isRefusedForNow } from './errors.ts';
import { createErrorFromCode, type Node, type ProtocolRequest } from './internals.ts';
import { Reader } from './reader.ts';
import { compactString, encoded, int16, int32, int64, NO_TAGS, varint } from './writing.ts';

/**
 * TxnOffsetCommit, version 3: the first that says which member of the group commits, in which generation, so that the
 * coordinator itself refuses one that is none any more. kafkajs speaks version 1. Layout: https://kafka.apache.org/protocol
 */
const TXN_OFFSET_COMMIT = 28;
const VERSION = 3;
const NO_LEADER_EPOCH = -1;
/** Null: of static members, and of what may be said beside an offset. */
const NULL_STRING = varint(0);

/** Of whom nobody asks whether it is a member: whoever writes into a group that has none. */
export const NO_MEMBER = { generation: -1, memberId: '' } as const;

export interface TxnOffsets {
  readonly transactionalId: string;
  readonly producerId: unknown;
  readonly producerEpoch: number;
  readonly group: string;
  readonly generation: number;
  readonly memberId: string;
  readonly offsets: readonly PartitionOffset[];
}

export const encodeTxnOffsets = (of: TxnOffsets): Buffer => {
  const topics = [...Map.groupBy(of.offsets, ({ topic }) => topic)];
  return Buffer.concat([
    NO_TAGS,
    compactString(of.transactionalId),
    compactString(of.group),
    int64(BigInt(String(of.producerId))),
    int16(of.producerEpoch),
    int32(of.generation),
    compactString(of.memberId),
    NULL_STRING,
    varint(topics.length + 1),
    ...topics.flatMap(([topic, partitions]) => [
      compactString(topic),
      varint(partitions.length + 1),
      ...partitions.flatMap(({ partition, offset }) => [
        int32(partition),
        int64(BigInt(offset)),
        int32(NO_LEADER_EPOCH),
        NULL_STRING,
        NO_TAGS,
      ]),
      NO_TAGS,
    ]),
    NO_TAGS,
  ]);
};

interface Answer {
  /** Error codes of the partitions that were refused. */
  readonly refusals: readonly number[];
  /** Read by kafkajs: how long the broker wants to hear nothing of us. */
  readonly clientSideThrottleTime: number;
}

export const decodeTxnOffsets = (raw: Buffer): Answer => {
  const r = new Reader(raw);
  r.tags();
  const clientSideThrottleTime = r.int32();
  const refusals: number[] = [];
  r.array(() => {
    r.string();
    r.array(() => {
      r.int32();
      const code = r.int16();
      if (code !== 0) refusals.push(code);
      r.tags();
    });
    r.tags();
  });
  return { refusals, clientSideThrottleTime };
};

/** Of several refusals the one that is final decides. */
const refuse = async (decoded: unknown): Promise<void> => {
  const errors = (decoded as Answer).refusals.map(createErrorFromCode);
  const error = errors.find(one => !isRefusedForNow(one)) ?? errors[0];
  if (error !== undefined) throw error;
};

/** Adds offsets to the transaction of a producer. @throws what the coordinator of the group refuses them with */
export const commitTxnOffsets = async (node: Node, of: TxnOffsets): Promise<void> => {
  const asked: ProtocolRequest = {
    request: {
      apiKey: TXN_OFFSET_COMMIT,
      apiVersion: VERSION,
      apiName: 'TxnOffsetCommit',
      encode: encoded(encodeTxnOffsets(of)),
    },
    response: { decode: async raw => decodeTxnOffsets(raw), parse: refuse },
  };
  await node.connectionPool.send(asked);
};
