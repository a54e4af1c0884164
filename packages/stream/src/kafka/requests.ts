import { compactString, encoded, int32, NO_TAGS, string16, varint } from './writing.ts';
import type { Cluster, ProtocolRequest } from './internals.ts';
import { Reader } from './reader.ts';

/**
 * Two requests that kafkajs cannot encode: Metadata with topic ids (version 12), and the incremental change of settings
 * (version 0). Layouts: https://kafka.apache.org/protocol
 */
const METADATA = 3;
const INCREMENTAL_ALTER_CONFIGS = 44;
const TOPIC_RESOURCE = 2;
const SET = 0;
const UUID_BYTES = 16;

export interface TopicMetadata {
  readonly errorCode: number;
  readonly name: string;
  /** As Kafka's tools print it. */
  readonly id: string;
  readonly internal: boolean;
  readonly partitions: number;
}

export interface ClusterMetadata {
  readonly clusterId: string;
  readonly topics: readonly TopicMetadata[];
}

const metadataBody = (topics: readonly string[] | undefined): Buffer =>
  Buffer.concat([
    NO_TAGS,
    varint(topics === undefined ? 0 : topics.length + 1),
    ...(topics ?? []).flatMap(name => [Buffer.alloc(UUID_BYTES), compactString(name), NO_TAGS]),
    Buffer.from([0, 0]), // No automatic creation, no list of allowed operations.
    NO_TAGS,
  ]);

export const readMetadata = (raw: Buffer): ClusterMetadata => {
  const r = new Reader(raw);
  r.tags();
  r.int32(); // Throttle time.
  r.array(() => {
    r.int32();
    r.string();
    r.int32();
    r.string();
    r.tags();
  });
  const clusterId = r.string() ?? '';
  r.int32(); // Controller.
  const topics = r.array((): TopicMetadata => {
    const errorCode = r.int16();
    const name = r.string() ?? '';
    const id = r.take(UUID_BYTES).toString('base64url');
    const internal = r.bool();
    const partitions = r.array(() => skipPartition(r)).length;
    r.int32(); // Allowed operations.
    r.tags();
    return { errorCode, name, id, internal, partitions };
  });
  return { clusterId, topics };
};

const skipPartition = (r: Reader): void => {
  r.int16();
  for (let i = 0; i < 3; i++) r.int32();
  for (let i = 0; i < 3; i++) r.array(r.int32);
  r.tags();
};

const ask = async <T>(cluster: Cluster, request: ProtocolRequest): Promise<T> => {
  await cluster.connect();
  const node = await cluster.brokerPool.findConnectedBroker();
  return (await node.connectionPool.send(request)) as T;
};

/** @param topics all of them without it. */
export const askMetadata = (cluster: Cluster, topics?: readonly string[]): Promise<ClusterMetadata> =>
  ask(cluster, {
    request: { apiKey: METADATA, apiVersion: 12, apiName: 'Metadata', encode: encoded(metadataBody(topics)) },
    response: { decode: async raw => readMetadata(raw), parse: async decoded => decoded },
  });

/** Sets settings of a topic and leaves the others as they are. @throws Error with Kafka's reason. */
export const alterTopicSettings = async (
  cluster: Cluster,
  topic: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> => {
  const entries = Object.entries(settings);
  const body = Buffer.concat([
    int32(1),
    Buffer.from([TOPIC_RESOURCE]),
    string16(topic),
    int32(entries.length),
    ...entries.flatMap(([name, value]) => [string16(name), Buffer.from([SET]), string16(value)]),
    Buffer.from([0]), // Not only to validate.
  ]);
  await ask(cluster, {
    request: {
      apiKey: INCREMENTAL_ALTER_CONFIGS,
      apiVersion: 0,
      apiName: 'IncrementalAlterConfigs',
      encode: encoded(body),
    },
    // kafkajs asks what was decoded for a throttle time.
    response: { decode: async raw => ({ refusal: refusalOf(raw) }), parse: refuse },
  });
};

const refusalOf = (raw: Buffer): string | undefined => {
  const r = new Reader(raw);
  r.int32(); // Throttle time.
  r.int32(); // One answer, for one topic.
  const code = r.int16();
  const length = r.int16();
  const reason = length < 0 ? '' : r.take(length).toString('utf8');
  return code === 0 ? undefined : `Kafka refused the settings (error ${code}): ${reason}`;
};

const refuse = async (decoded: unknown): Promise<void> => {
  const { refusal } = decoded as { refusal: string | undefined };
  if (refusal !== undefined) throw new Error(refusal);
};
