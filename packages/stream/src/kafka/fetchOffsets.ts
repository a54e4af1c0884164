import type { PartitionOffset, TopicPartition } from '../broker/port.ts';
import { createErrorFromCode, type Node, type ProtocolRequest } from './internals.ts';
import { compactString, encoded, int32, NO_TAGS, varint } from './writing.ts';
import { Reader } from './reader.ts';

/**
 * OffsetFetch, version 7: the first that can refuse offsets while a transaction that holds newer ones has not ended.
 * kafkajs speaks version 5. Layout: https://kafka.apache.org/protocol
 */
const OFFSET_FETCH = 9;
const VERSION = 7;

const bodyOf = (group: string, of: readonly TopicPartition[], isStable: boolean): Buffer => {
  const topics = [...Map.groupBy(of, ({ topic }) => topic)];
  return Buffer.concat([
    NO_TAGS,
    compactString(group),
    varint(topics.length + 1),
    ...topics.flatMap(([topic, partitions]) => [
      compactString(topic),
      varint(partitions.length + 1),
      ...partitions.map(({ partition }) => int32(partition)),
      NO_TAGS,
    ]),
    Buffer.from([isStable ? 1 : 0]),
    NO_TAGS,
  ]);
};

interface Answer {
  readonly offsets: readonly PartitionOffset[];
  /** Error codes that are not 0: of the whole answer first, then of partitions. */
  readonly codes: readonly number[];
  /** Read by kafkajs: how long the broker wants to hear nothing of us. */
  readonly clientSideThrottleTime: number;
}

export const decodeOffsets = (raw: Buffer): Answer => {
  const r = new Reader(raw);
  r.tags();
  const clientSideThrottleTime = r.int32();
  const codes: number[] = [];
  const offsets = r
    .array(() => {
      const topic = r.string() ?? '';
      const partitions = r.array(() => {
        const partition = r.int32();
        const offset = r.int64();
        r.int32(); // Leader epoch.
        r.string(); // What the committer said beside it.
        codes.push(r.int16());
        r.tags();
        return { topic, partition, offset };
      });
      r.tags();
      return partitions;
    })
    .flat();
  codes.unshift(r.int16());
  r.tags();
  return { offsets, codes: codes.filter(code => code !== 0), clientSideThrottleTime };
};

const refuse = async (decoded: unknown): Promise<readonly PartitionOffset[]> => {
  const { offsets, codes } = decoded as Answer;
  if (codes.length > 0) throw createErrorFromCode(codes[0]!);
  // -1: nothing is committed.
  return offsets.filter(({ offset }) => offset >= 0);
};

/**
 * What a group has committed for the partitions; those without are absent.
 * @param isStable refused with UNSTABLE_OFFSET_COMMIT while a transaction holds offsets of one of them
 */
export const fetchOffsets = async (
  node: Node,
  group: string,
  of: readonly TopicPartition[],
  isStable: boolean,
): Promise<readonly PartitionOffset[]> => {
  const asked: ProtocolRequest = {
    request: {
      apiKey: OFFSET_FETCH,
      apiVersion: VERSION,
      apiName: 'OffsetFetch',
      encode: encoded(bodyOf(group, of, isStable)),
    },
    response: { decode: async raw => decodeOffsets(raw), parse: refuse },
  };
  return (await node.connectionPool.send(asked)) as readonly PartitionOffset[];
};
