import { isIP } from 'node:net';
import type { Clock } from '@millrace/telemetry';
import postgres, { type Sql } from 'postgres';
import type { DatabaseOptions } from './database.ts';
import { DatabaseAway, inOurWords } from './errors.ts';

export interface PoolOptions extends Omit<DatabaseOptions, 'answerTimeoutS'> {
  readonly answerMsMax: number;
  readonly clock: Clock;
}

const CLOSE_TIMEOUT_S = 5;

/** The client names the host to TLS only where it is no IP address; the certificate would be held to be one of localhost. */
const tlsTo = (url: string, tls: object): object => {
  const host = new URL(url).hostname.replaceAll(/[[\]]/g, '');
  return isIP(host) === 0 ? tls : { ...tls, host };
};

/**
 * Connections whose every call ends: with an answer, or with an error once the limit is over. A server that hangs, or a
 * network that swallows, sends no error; so the connections are given up and the next call opens new ones.
 */
export class Pool {
  readonly #options: PoolOptions;
  #sql: Sql | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** @throws DatabaseAway when there is no answer in time. @throws BadRows and others of `inOurWords` */
  async ask<T>(work: (sql: Sql) => Promise<T>, answerMsMax = this.#options.answerMsMax): Promise<T> {
    const sql = (this.#sql ??= this.#open());
    const answered = new AbortController();
    const late = this.#options.clock.sleep(answerMsMax, answered.signal).then(() => {
      this.#giveUp(sql);
      throw new DatabaseAway(`the database has not answered within ${answerMsMax / 1_000} s`);
    });
    late.catch(() => undefined); // Answered: nobody waits for it any more.
    try {
      return await Promise.race([work(sql), late]);
    } catch (error) {
      throw inOurWords(error);
    } finally {
      answered.abort(new Error('answered'));
    }
  }

  async close(): Promise<void> {
    const sql = this.#sql;
    this.#sql = undefined;
    await sql?.end({ timeout: CLOSE_TIMEOUT_S });
  }

  #giveUp(sql: Sql): void {
    if (this.#sql === sql) this.#sql = undefined;
    sql.end({ timeout: 0 }).catch(() => undefined); // They were of no use before.
  }

  #open(): Sql {
    const { url, password, tls, connectionsMax, connectTimeoutS } = this.#options;
    return postgres(url, {
      max: connectionsMax,
      connect_timeout: connectTimeoutS,
      ...(password !== undefined && { password }),
      ssl: tls === undefined ? false : tlsTo(url, tls),
      backoff: () => 0, // Who asks again waits before that.
      onnotice: () => undefined,
      connection: { application_name: 'millrace-sink' },
    });
  }
}
