/**
 * A TCP proxy in front of one server, which does what networks do: it is slow, it resets, it says nothing at all, it
 * breaks off in the midst of a response, it goes silent from one response on or brings one request late. Never does it
 * leave out bytes between others: no client has to bear that, since TCP does not do it.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { API, type Api, FrameCutter, Questions } from './frames.ts';

/** What happens to the next `count` frames of a kind; a rule that is used up is forgotten. */
export interface Rule {
  /**
   * `lose`: neither the response nor anything behind it arrives, while requests still do, until the client gives the
   * connection up. `cut`: half of the response is sent, then the connection is reset. `late`: the request waits before
   * the server gets it, also when its sender has left meanwhile.
   */
  readonly how: 'lose' | 'cut' | 'late';
  /** Any kind of request when left out; always so where the server is not Kafka. */
  readonly api?: Api;
  readonly lateMs?: number;
  count: number;
}

/** `pass`; `refuse`: connections are reset at once; `hold`: accepted and open, but nothing passes. */
export type Mode = 'pass' | 'refuse' | 'hold';

export interface FaultProxyOptions {
  readonly name: string;
  readonly target: { readonly host: string; readonly port: number };
  readonly speaks: 'kafka' | 'anything';
}

/** Bytes of one direction that wait here before reading pauses. */
const WAITING_BYTES_MAX = 4 << 20;
const POLL_MS = 20;

export class FaultProxy {
  readonly name: string;
  /** Added to the way of each frame, in each direction. */
  latencyMs = 0;
  mode: Mode = 'pass';
  /** How often a rule was applied. */
  applied = 0;
  readonly #options: FaultProxyOptions;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  readonly #rules = new Set<Rule>();
  #closed = false;

  private constructor(options: FaultProxyOptions) {
    this.name = options.name;
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true }, client => {
      if (this.mode === 'refuse' || this.#closed) {
        client.resetAndDestroy();
        return;
      }
      const link = new Link(this, client, options);
      this.#links.add(link);
      void link.over.then(() => this.#links.delete(link));
    });
  }

  static async listen(options: FaultProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(options);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  rule(rule: Rule): void {
    if (rule.api !== undefined && this.#options.speaks !== 'kafka')
      throw new TypeError(`${this.name} does not speak Kafka: no rule can name a request`);
    this.#rules.add(rule);
  }

  /** The rule for a frame, used once by this. */
  take(kind: number | undefined, request: boolean): Rule | undefined {
    for (const rule of this.#rules) {
      if ((rule.how === 'late') !== request) continue;
      if (rule.api !== undefined && API[rule.api] !== kind) continue;
      if (--rule.count <= 0) this.#rules.delete(rule);
      this.applied++;
      return rule;
    }
    return undefined;
  }

  /** Resets connections; `share` says of each whether it is hit. */
  reset(isHit: () => boolean = () => true): number {
    const hit = [...this.#links].filter(isHit);
    for (const link of hit) link.reset();
    return hit.length;
  }

  /** Everything as if it were not there; rules that were not used are forgotten. */
  heal(): void {
    this.#rules.clear();
    this.latencyMs = 0;
    this.mode = 'pass';
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.reset();
    await new Promise<void>(resolve => this.#server.close(() => resolve()));
  }
}

/** One connection and its twin to the server. */
class Link {
  readonly over: Promise<void>;
  readonly #proxy: FaultProxy;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #end = new AbortController();

  constructor(proxy: FaultProxy, client: Socket, { target, speaks }: FaultProxyOptions) {
    this.#proxy = proxy;
    this.#client = client;
    this.#server = connect({ ...target, allowHalfOpen: true });
    for (const socket of [client, this.#server]) {
      socket.setNoDelay(true);
      // What went wrong shows at the end of the connection, which both sides are told of.
      socket.on('error', () => socket.destroy());
    }
    const kafka = speaks === 'kafka';
    const questions = kafka ? new Questions() : undefined;
    this.#carry(client, this.#server, frame => {
      const rule = proxy.take(questions?.asked(frame), true);
      return rule === undefined ? {} : { waitMs: rule.lateMs ?? 0 };
    }, kafka); // prettier-ignore
    this.#carry(this.#server, client, frame => {
      const rule = proxy.take(questions?.answered(frame), false);
      if (rule === undefined) return {};
      return rule.how === 'lose' ? { swallow: true } : { half: true };
    }, kafka); // prettier-ignore
    const closed = (socket: Socket): Promise<void> =>
      new Promise(resolve => socket.once('close', () => resolve()));
    this.over = Promise.all([closed(client), closed(this.#server)]).then(() => this.#end.abort());
  }

  reset(): void {
    this.#end.abort();
    for (const socket of [this.#client, this.#server]) {
      if (socket.connecting) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  /** Frames keep their order; each waits until its time has come. The end of the stream follows behind the last. */
  #carry(
    from: Socket,
    to: Socket,
    judge: (frame: Buffer) => { waitMs?: number; swallow?: boolean; half?: boolean },
    framed: boolean,
  ): void {
    const cutter = framed ? new FrameCutter() : undefined;
    let turn: Promise<void> = Promise.resolve();
    let waiting = 0;
    let silent = false;
    const passOn = async (frame: Buffer, arrivedMs: number): Promise<void> => {
      if (silent) return;
      const { waitMs = 0, swallow = false, half = false } = judge(frame);
      silent = swallow || half;
      await this.#until(arrivedMs + this.#proxy.latencyMs + waitMs);
      if (swallow || to.destroyed) return;
      if (half) {
        to.write(frame.subarray(0, Math.ceil(frame.length / 2)), () => this.reset());
        return;
      }
      if (!to.write(frame)) await this.#drained(to);
    };
    const queue = (step: () => Promise<void>): void => {
      turn = turn.then(step).catch(() => this.reset());
    };
    from.on('data', (chunk: Buffer) => {
      const arrivedMs = performance.now();
      for (const frame of cutter?.push(chunk) ?? [chunk]) {
        waiting += frame.length;
        if (waiting > WAITING_BYTES_MAX) from.pause();
        queue(async () => {
          await passOn(frame, arrivedMs);
          waiting -= frame.length;
          if (waiting <= WAITING_BYTES_MAX && from.isPaused()) from.resume();
        });
      }
    });
    // The other side is told of the end behind what was sent: a late request arrives though its sender has gone.
    const ended = (): void => queue(async () => void to.end());
    from.once('end', ended);
    from.once('close', ended);
  }

  async #until(dueMs: number): Promise<void> {
    const signal = this.#end.signal;
    const restMs = dueMs - performance.now();
    if (restMs > 0) await sleep(restMs, undefined, { signal });
    while (this.#proxy.mode === 'hold') await sleep(POLL_MS, undefined, { signal });
  }

  #drained(socket: Socket): Promise<void> {
    return new Promise(resolve => {
      const over = (): void => {
        socket.off('drain', over).off('close', over);
        resolve();
      };
      socket.on('drain', over).on('close', over);
    });
  }
}
