import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type * as Kafkajs from 'kafkajs';

/**
 * The parts of kafkajs 2.2.4 that we build on: connections, metadata, and the encoding of requests. Its consumer and
 * producer are not among them: membership, fetching, sequences and transactions are ours (docs/decisions/kafkajs-as-protocol.md). They are not
 * part of its public interface, so the version is pinned, and everything that we touch is declared here.
 */
export interface KafkaLog {
  readonly level: number;
  readonly namespace: string;
  readonly log: Readonly<Record<string, unknown>> & { readonly message: unknown };
}

export interface SocketTarget {
  readonly host: string;
  readonly port: number;
  readonly ssl: object | null | undefined;
  readonly onConnect: () => void;
}

export interface ClusterOptions {
  readonly logger: object;
  readonly socketFactory: (target: SocketTarget) => Socket;
  readonly brokers: readonly string[];
  readonly ssl: object | undefined;
  readonly sasl: object | undefined;
  readonly clientId: string;
  readonly connectionTimeout: number;
  readonly authenticationTimeout: number;
  readonly reauthenticationThreshold: number;
  readonly requestTimeout: number;
  readonly enforceRequestTimeout: boolean;
  readonly metadataMaxAge: number;
  readonly allowAutoTopicCreation: boolean;
  readonly maxInFlightRequests: number | null;
  readonly isolationLevel: number;
  readonly retry: {
    readonly initialRetryTime: number;
    readonly maxRetryTime: number;
    readonly retries: number;
  };
}

interface Connection {
  isConnected(): boolean;
  send(request: ProtocolRequest): Promise<unknown>;
  /** From our patch: closes without waiting for answers. */
  abandon(error: Error): void;
}

export interface ConnectionPool {
  readonly host: string;
  readonly port: number;
  readonly pool: readonly Connection[];
  send: (request: ProtocolRequest) => Promise<unknown>;
}

/** Replaced in part by `silence.ts`. */
interface BrokerPool {
  readonly brokers: Readonly<Record<string, Node>>;
  readonly seedBroker: Node | undefined;
  readonly metadata: { readonly topicMetadata: readonly { readonly topic: string }[] } | null;
  /** Milliseconds since the epoch; null where it is to be asked for anew. */
  readonly metadataExpireAt: number | null;
  readonly connectionPoolBuilder: {
    /** Without a host: for one of the addresses that were given. */
    build: (at?: { readonly host?: string; readonly port?: number }) => Promise<ConnectionPool>;
  };
  findBroker(at: { readonly nodeId: string }): Promise<Node>;
  findConnectedBroker: () => Promise<Node>;
  withBroker: <T>(ask: (of: { nodeId: string; broker: Node }) => Promise<T>) => Promise<T | null>;
}

export interface ProtocolRequest {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    /** Sent as it is, behind a head (P10). */
    readonly encode: () => Promise<{ readonly buffer: Buffer }>;
  };
  readonly response: {
    readonly decode: (raw: Buffer) => Promise<unknown>;
    readonly parse: (decoded: unknown) => Promise<unknown>;
  };
}

export interface Message {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headerList: readonly { readonly key: string; readonly value: Buffer | null }[];
  readonly isControlRecord: boolean;
}

export interface FetchedPartition {
  readonly partition: number;
  readonly highWatermark: string;
  readonly lastStableOffset: string;
  readonly abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[];
  readonly messages: readonly Message[] & { readonly lastBatchOffset?: string | null };
}

export interface OutMessage {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly { readonly key: string; readonly value: Buffer }[];
  readonly timestamp: string;
}

interface TopicOffsets {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
}

interface ProducerIds {
  readonly transactionalId?: string;
  readonly producerId: unknown;
  readonly producerEpoch: number;
}

/** One node of the cluster. */
export interface Node {
  readonly nodeId: number | string;
  readonly connectionPool: ConnectionPool;
  isConnected(): boolean;
  joinGroup(request: {
    groupId: string;
    sessionTimeout: number;
    rebalanceTimeout: number;
    memberId: string;
    groupProtocols: readonly { name: string; metadata: Buffer }[];
  }): Promise<{
    generationId: number;
    groupProtocol: string;
    leaderId: string;
    memberId: string;
    members: readonly { memberId: string; memberMetadata: Buffer }[];
  }>;
  syncGroup(request: {
    groupId: string;
    generationId: number;
    memberId: string;
    groupAssignment: readonly { memberId: string; memberAssignment: Buffer }[];
  }): Promise<{ memberAssignment: Buffer }>;
  heartbeat(request: { groupId: string; groupGenerationId: number; memberId: string }): Promise<unknown>;
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>;
  offsetCommit(request: {
    groupId: string;
    groupGenerationId: number;
    memberId: string;
    topics: readonly TopicOffsets[];
  }): Promise<unknown>;
  findGroupCoordinator(request: { groupId: string; coordinatorType: number }): Promise<unknown>;
  describeGroups(request: {
    groupIds: readonly string[];
  }): Promise<{ groups: readonly { state: string; members: readonly unknown[] }[] }>;
  fetch(request: {
    maxWaitTime: number;
    minBytes: number;
    maxBytes: number;
    isolationLevel: number;
    topics: readonly {
      topic: string;
      partitions: readonly { partition: number; fetchOffset: string; maxBytes: number }[];
    }[];
  }): Promise<{ responses: readonly { topicName: string; partitions: readonly FetchedPartition[] }[] }>;
  produce(
    request: ProducerIds & {
      acks: number;
      timeout: number;
      topicData: readonly {
        topic: string;
        partitions: readonly { partition: number; firstSequence: number; messages: readonly OutMessage[] }[];
      }[];
    },
  ): Promise<unknown>;
  listOffsets(request: {
    isolationLevel: number;
    topics: readonly {
      topic: string;
      partitions: readonly { partition: number; timestamp: number }[];
    }[];
  }): Promise<{ responses: readonly TopicOffsets[] }>;
  initProducerId(request: {
    transactionalId?: string;
    transactionTimeout: number;
  }): Promise<{ producerId: unknown; producerEpoch: number }>;
  addPartitionsToTxn(
    request: ProducerIds & { topics: readonly { topic: string; partitions: readonly number[] }[] },
  ): Promise<unknown>;
  addOffsetsToTxn(request: ProducerIds & { groupId: string }): Promise<unknown>;
  endTxn(request: ProducerIds & { transactionResult: boolean }): Promise<unknown>;
  createTopics(request: {
    topics: readonly {
      topic: string;
      numPartitions: number;
      replicationFactor: number;
      configEntries: readonly { name: string; value: string }[];
    }[];
    timeout: number;
  }): Promise<unknown>;
  deleteTopics(request: { topics: readonly string[]; timeout: number }): Promise<unknown>;
  describeConfigs(request: {
    resources: readonly { type: number; name: string; configNames: readonly string[] }[];
    includeSynonyms: boolean;
  }): Promise<{
    resources: readonly {
      resourceName: string;
      configEntries: readonly { configName: string; configValue: string; configSource: number }[];
    }[];
  }>;
}

export interface Cluster {
  readonly brokerPool: BrokerPool;
  /** Whose leaders are kept. */
  readonly targetTopics: ReadonlySet<string>;
  connect(): Promise<void>;
  isConnected(): boolean;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  findBroker(at: { nodeId: number | string }): Promise<Node>;
  findControllerBroker(): Promise<Node>;
  findTopicPartitionMetadata(topic: string): readonly { partitionId: number; leader: number }[];
  findGroupCoordinator(of: { groupId: string; coordinatorType: number }): Promise<Node>;
}

const load = createRequire(import.meta.url);

export const PATCH = 'P1 P2 P3 P4 P8 P9 P10';

/** @throws Error where kafkajs is not the version that we patched, or not patched. */
export const assertPatched = (found: { readonly MILLRACE_PATCH?: string }): void => {
  if (found.MILLRACE_PATCH !== PATCH)
    throw new Error('kafkajs is not patched: install with pnpm, which applies patches/kafkajs@2.2.4.patch');
};

export const kafkajs = load('kafkajs') as typeof Kafkajs & { readonly MILLRACE_PATCH?: string };

export const ClusterOf = load('kafkajs/src/cluster') as new (options: ClusterOptions) => Cluster;

export const createKafkaLogger = (
  load('kafkajs/src/loggers') as {
    createLogger: (options: { level: number; logCreator: () => (entry: KafkaLog) => void }) => object;
  }
).createLogger;

export const filterAborted = load('kafkajs/src/consumer/filterAbortedMessages') as (fetched: {
  messages: readonly Message[];
  abortedTransactions: FetchedPartition['abortedTransactions'];
}) => readonly Message[];

export const createErrorFromCode = (
  load('kafkajs/src/protocol/error') as {
    createErrorFromCode: (code: number) => Error & { readonly retriable: boolean };
  }
).createErrorFromCode;
