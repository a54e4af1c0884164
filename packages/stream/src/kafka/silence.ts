import type { Clock } from '@millrace/telemetry';
import { kafkajs, type Cluster, type ConnectionPool } from './internals.ts';

/** A node was not asked, because it does not answer just now: nothing was executed. */
export class SilentNodeError extends Error {
  constructor(address: string) {
    super(`${address} does not answer just now`);
    this.name = 'SilentNodeError';
  }
}

/** A node that did not answer is tried by one request in so long. */
const TRY_MS = 1_000;
const API_VERSIONS = 18;

const isTimeout = (error: unknown): boolean =>
  (error as Error).name === 'KafkaJSRequestTimeoutError' ||
  (error as Error).message.startsWith('Connection timeout');

/**
 * Which nodes answer, as all connections of one client see it. A node that hangs takes requests and answers none: each
 * would wait for its time-out, however many have waited in vain before. So a node is answering, or silent: then one
 * request a second may try it (a join may wait for long, and is not waited for) and the others are refused, until one is
 * answered. Who is refused asks another node where the leader or coordinator is now.
 */
export class Silence {
  readonly #clock: Clock;
  /** When a silent node may be tried next. */
  readonly #tryAtMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  has(address: string): boolean {
    return this.#tryAtMs.has(address);
  }

  /** @throws SilentNodeError where the node is silent. */
  async ask<T>(address: string, request: () => Promise<T>): Promise<T> {
    const nowMs = this.#clock.now();
    const tryAtMs = this.#tryAtMs.get(address);
    if (tryAtMs !== undefined) {
      if (nowMs < tryAtMs) throw new SilentNodeError(address);
      this.#tryAtMs.set(address, nowMs + TRY_MS);
    }
    try {
      const answer = await request();
      this.#tryAtMs.delete(address);
      return answer;
    } catch (error) {
      // One that refuses, or is gone, does not hang.
      if (!isTimeout(error)) this.#tryAtMs.delete(address);
      else this.#tryAtMs.set(address, this.#clock.now() + TRY_MS);
      throw error;
    }
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
      return await silence.ask(address, () => send(request));
    } catch (error) {
      // kafkajs tries another address after errors of connections only.
      if (request.request.apiKey === API_VERSIONS && isTimeout(error))
        throw new kafkajs.KafkaJSConnectionError((error as Error).message, { broker: address });
      throw error;
    }
  };
  return pool;
};
