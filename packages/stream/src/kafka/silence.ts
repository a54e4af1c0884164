import type { Clock } from '@millrace/telemetry';
import { kafkajs, type Cluster, type ConnectionPool, type ProtocolRequest } from './internals.ts';
import { encoded } from './writing.ts';

/** A node was not asked, because it does not answer just now: nothing was executed. */
export class SilentNodeError extends Error {
  constructor(address: string) {
    super(`${address} does not answer just now`);
    this.name = 'SilentNodeError';
  }
}

/** A node that did not answer is tried again so long after it was tried in vain. */
const TRY_MS = 1_000;
const API_VERSIONS = 18;
/** What requests fail with when whoever sent them closes its client. */
export const CLIENT_CLOSED = 'the client is closed';

/** Whoever may be there answers it, and nothing comes of it. */
const TRIAL: ProtocolRequest = {
  request: { apiKey: API_VERSIONS, apiVersion: 0, apiName: 'ApiVersions', encode: encoded(Buffer.alloc(0)) },
  response: { decode: async raw => raw, parse: async decoded => decoded },
};

const isTimeout = (error: unknown): boolean =>
  (error as Error).name === 'KafkaJSRequestTimeoutError' ||
  (error as Error).message.startsWith('Connection timeout');

/** A trial ended with the connection that it was on, which says nothing of the node: its client was closed, or another request was late. */
const isCutOff = (error: unknown): boolean =>
  (error as Error).name === 'KafkaJSConnectionClosedError' ||
  (error as Error).message.includes(CLIENT_CLOSED);

/**
 * Which nodes answer, as all connections of one client see it. A node that hangs takes requests and answers none: each
 * would wait for its time-out, however many have waited in vain before. So a node is answering, or silent: then all requests
 * are refused, and whoever is refused asks another node where the leader or coordinator is now. Nobody's work is used to find out:
 * while there are requests for it, a silent node is tried by one that does nothing, and answers again when that is answered.
 */
export class Silence {
  readonly #clock: Clock;
  /** Silent nodes: since when each has not been tried; while it is being tried, undefined. */
  readonly #silent = new Map<string, number | undefined>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  has(address: string): boolean {
    return this.#silent.has(address);
  }

  /**
   * @param trial does nothing but see whether the node answers
   * @throws SilentNodeError where the node is silent
   */
  async ask<T>(address: string, request: () => Promise<T>, trial: () => Promise<unknown>): Promise<T> {
    if (this.has(address)) {
      this.#try(address, trial);
      throw new SilentNodeError(address);
    }
    try {
      const answer = await request();
      // It had been under way since before the silence.
      this.#silent.delete(address);
      return answer;
    } catch (error) {
      if (isTimeout(error)) this.#isSilent(address);
      throw error;
    }
  }

  #isSilent(address: string): void {
    this.#silent.set(address, this.#clock.now());
  }

  #try(address: string, trial: () => Promise<unknown>): void {
    const sinceMs = this.#silent.get(address);
    // The clock may step back.
    if (sinceMs === undefined || Math.abs(this.#clock.now() - sinceMs) < TRY_MS) return;
    this.#silent.set(address, undefined);
    trial().then(
      () => this.#silent.delete(address),
      (error: unknown) => {
        // One that refuses, or is gone, does not hang.
        if (isTimeout(error) || isCutOff(error)) this.#isSilent(address);
        else this.#silent.delete(address);
      },
    );
  }
}

const addressOf = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  `${host}:${port}`;

/**
 * Has a cluster of kafkajs ask no node that is silent. kafkajs begins each time at the first address it was given, and
 * asks for metadata and coordinators whichever node it is connected to.
 */
export const heed = (cluster: Cluster, silence: Silence, servers: readonly string[]): void => {
  const { brokerPool } = cluster;
  const { connectionPoolBuilder } = brokerPool;
  const build = connectionPoolBuilder.build.bind(connectionPoolBuilder);
  let starts = 0;
  const nextServer = (): { host: string; port: number } => {
    const answering = servers.filter(server => !silence.has(server));
    const among = answering.length > 0 ? answering : servers;
    const server = among[starts++ % among.length]!;
    const colon = server.lastIndexOf(':');
    return { host: server.slice(0, colon), port: Number(server.slice(colon + 1)) };
  };
  connectionPoolBuilder.build = async at => {
    const pool = await build(at?.host === undefined ? nextServer() : at);
    return heeding(pool, silence);
  };
  const isSilent = (nodeId: string): boolean =>
    silence.has(addressOf(brokerPool.brokers[nodeId]!.connectionPool));
  const byAnswering = (): readonly string[] => {
    const ids = Object.keys(brokerPool.brokers);
    return [...ids.filter(id => !isSilent(id)), ...ids.filter(isSilent)];
  };
  const findConnected = brokerPool.findConnectedBroker.bind(brokerPool);
  brokerPool.findConnectedBroker = async () => {
    const ids = byAnswering();
    const connected = ids.filter(id => brokerPool.brokers[id]!.isConnected() && !isSilent(id));
    for (const nodeId of [...connected, ...ids.filter(id => !isSilent(id))])
      try {
        return await brokerPool.findBroker({ nodeId });
      } catch {
        continue; // The next one may be reached.
      }
    return findConnected();
  };
  brokerPool.withBroker = async callback => {
    for (const nodeId of byAnswering())
      try {
        return await callback({ nodeId, broker: await brokerPool.findBroker({ nodeId }) });
      } catch {
        continue; // Another may know; who asks is told when none does.
      }
    return null;
  };
};

const heeding = (pool: ConnectionPool, silence: Silence): ConnectionPool => {
  const send = pool.send.bind(pool);
  const address = addressOf(pool);
  pool.send = async request => {
    try {
      return await silence.ask(
        address,
        () => send(request),
        () => send(TRIAL),
      );
    } catch (error) {
      // kafkajs tries another address after errors of connections only.
      if (request.request.apiKey === API_VERSIONS && isTimeout(error))
        throw new kafkajs.KafkaJSConnectionError((error as Error).message, { broker: address });
      throw error;
    }
  };
  return pool;
};
