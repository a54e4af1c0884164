import { connect as connectPlain, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Clock, Logger } from '@millrace/telemetry';
import {
  type Cluster,
  ClusterOf,
  createKafkaLogger,
  type KafkaLog,
  kafkajs,
  type SocketTarget,
} from './internals.ts';
import { CLIENT_CLOSED, heed, Silence } from './silence.ts';

export type KafkaBytes = 'own' | 'stock';

export interface KafkaOptions {
  /** `host:port`, comma separated or as a list: name every broker, any one may be away at the start. */
  readonly bootstrapServers: string | readonly string[];
  readonly clientId: string;
  /** Options of `tls.connect`, or true for the system's certificates. */
  readonly ssl?: object | boolean;
  readonly sasl?: { readonly mechanism: string } & Readonly<Record<string, unknown>>;
  readonly logger: Logger;
  readonly clock: Clock;
  /**
   * Whose code reads and writes record batches: ours (`own`, the default), or that of kafkajs (`stock`), which is slower
   * and makes the same of them.
   */
  readonly bytes?: KafkaBytes;
  /** Longest wait for an answer. Default 5,000. */
  readonly requestTimeoutMs?: number;
  /** Longest open transaction, before the broker aborts it. Default 20,000. */
  readonly transactionTimeoutMs?: number;
  /** Longest time that one call is tried again while Kafka is away. Default 60,000. */
  readonly retryMsMax?: number;
}

export const REQUEST_TIMEOUT_MS = 5_000;
export const TRANSACTION_TIMEOUT_MS = 20_000;
export const RETRY_MS_MAX = 60_000;
export const READ_UNCOMMITTED = 0;
export const READ_COMMITTED = 1;

const CONNECTION_TIMEOUT_MS = 3_000;
const METADATA_AGE_MS_MAX = 60_000;
const KEEP_ALIVE_MS = 60_000;
/** Of one read from a socket. */
const READ_BYTES = 65_536;
const LOG_LEVEL_INFO = 4;

const serversOf = (servers: string | readonly string[]): readonly string[] =>
  (typeof servers === 'string' ? servers.split(',') : servers).map(server => server.trim()).filter(Boolean);

interface Sockets {
  readonly open: Set<Socket>;
  closed: boolean;
}

const socketsOf = new WeakMap<Cluster, Sockets>();

/** What comes in is read into the same bytes again and again: our kafkajs copies from them at once (P10). */
const readInto = (buffer: Buffer, read: (bytes: Buffer) => void): OnReadOpts => ({
  buffer,
  callback: count => {
    read(buffer.subarray(0, count));
    return true;
  },
});

const openSocket = ({ host, port, ssl, onConnect }: SocketTarget): Socket => {
  const named = isIP(host) === 0 ? { servername: host } : {};
  const socket: Socket =
    ssl === null || ssl === undefined
      ? connectPlain(
          {
            host,
            port,
            onread: readInto(Buffer.allocUnsafeSlow(READ_BYTES), bytes => socket.emit('data', bytes)),
          },
          onConnect,
        )
      : connectTls({ host, port, ...named, ...ssl }, onConnect);
  // Nagle's algorithm would hold back small requests until the answer to the one before.
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return socket;
};

// kafkajs may still try to reconnect when we are done with it: then it gets no more sockets.
const keepingSockets =
  (sockets: Sockets) =>
  (target: SocketTarget): Socket => {
    if (sockets.closed) throw new Error(CLIENT_CLOSED);
    const socket = openSocket(target);
    // kafkajs lets a dead socket go once for each who waited for it, and every time Node notes that for a connection
    // that never comes. It would warn of a leak.
    socket.setMaxListeners(0);
    sockets.open.add(socket);
    socket.once('close', () => sockets.open.delete(socket));
    return socket;
  };

// kafkajs calls a request that will be tried again an error: what matters is said by us, once.
const quietly =
  (logger: Logger) =>
  (): ((entry: KafkaLog) => void) =>
  ({ namespace, log }) =>
    // Now and then it says an error instead of a text.
    logger.debug({ kafkajs: namespace, ...allowed(log) }, String(log.message));

const allowed = ({ broker, groupId, error, retryCount }: Readonly<Record<string, unknown>>): object => ({
  broker,
  group: groupId,
  error: error instanceof Error ? error.message : error,
  retryCount,
});

const silences = new WeakMap<KafkaOptions, Silence>();

/** One for all clusters of a client. */
const silenceOf = (options: KafkaOptions): Silence => {
  const known = silences.get(options) ?? new Silence(options.clock);
  silences.set(options, known);
  return known;
};

/** Connections of their own to the nodes of the cluster; requests on one connection are answered one after the other. */
export const clusterOf = (options: KafkaOptions): Cluster => {
  const { ssl, sasl, clientId, logger, requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
  const sockets: Sockets = { open: new Set(), closed: false };
  const cluster = new ClusterOf({
    logger: createKafkaLogger({ level: LOG_LEVEL_INFO, logCreator: quietly(logger) }),
    socketFactory: keepingSockets(sockets),
    brokers: serversOf(options.bootstrapServers),
    ssl: ssl === true ? {} : ssl === false ? undefined : ssl,
    sasl,
    clientId,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    authenticationTimeout: 10_000,
    reauthenticationThreshold: 10_000,
    requestTimeout: requestTimeoutMs,
    enforceRequestTimeout: true,
    metadataMaxAge: METADATA_AGE_MS_MAX,
    allowAutoTopicCreation: false,
    maxInFlightRequests: null,
    isolationLevel: READ_COMMITTED,
    // Whoever calls tries again, with a limit of its own: what kafkajs tries within a call is for its next address.
    retry: { initialRetryTime: 5, maxRetryTime: 500, retries: 2 },
  });
  socketsOf.set(cluster, sockets);
  heed(cluster, silenceOf(options), serversOf(options.bootstrapServers));
  return cluster;
};

/** Ends all connections now, and for good: requests under way fail, nobody waits for their answers. */
export const abandonCluster = (cluster: Cluster): void => {
  const { brokerPool } = cluster;
  const error = new Error(CLIENT_CLOSED);
  const nodes = new Set([...Object.values(brokerPool.brokers), brokerPool.seedBroker]);
  for (const node of nodes)
    for (const connection of node?.connectionPool.pool ?? []) connection.abandon(error);
  const sockets = socketsOf.get(cluster);
  if (sockets === undefined) return;
  sockets.closed = true;
  for (const socket of sockets.open) socket.destroy(new Error(CLIENT_CLOSED));
};

/** Whether `learnTopics` would find nothing to ask for: to see that takes no lock, and nobody waits. */
export const areKnown = (cluster: Cluster, topics: readonly string[], nowMs: number): boolean => {
  const { metadata, metadataExpireAt } = cluster.brokerPool;
  return (
    cluster.isConnected() &&
    metadata !== null &&
    nowMs <= (metadataExpireAt ?? 0) &&
    topics.every(
      topic => cluster.targetTopics.has(topic) && metadata.topicMetadata.some(of => of.topic === topic),
    )
  );
};

/** Asks for the leaders of topics. @throws where one does not exist. */
export const learnTopics = async (cluster: Cluster, topics: readonly string[]): Promise<void> => {
  await cluster.connect();
  await cluster.addMultipleTargetTopics(topics);
  await cluster.refreshMetadataIfNecessary();
};

export const leaderOf = (cluster: Cluster, topic: string, partition: number): number => {
  const found = cluster
    .findTopicPartitionMetadata(topic)
    .find(({ partitionId }) => partitionId === partition);
  if (found === undefined || found.leader < 0)
    throw new kafkajs.KafkaJSProtocolError(
      Object.assign(new Error(`no leader of ${topic}-${partition} is known`), {
        type: 'LEADER_NOT_AVAILABLE',
        code: 5,
        retriable: true,
      }),
    );
  return found.leader;
};
