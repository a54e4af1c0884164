export interface GateLimits {
  /** Bytes of bodies that are being read or waiting for the broker. */
  readonly bytesMax: number;
  readonly requestsMax: number;
  /** Requests of one API key; more are its own doing (429), not ours (503). */
  readonly requestsPerKeyMax: number;
}

export type Refusal = 'busy' | 'key-busy';

/** Lets requests in before their bodies are read, so that what is buffered has a bound. */
export class Gate {
  readonly #limits: GateLimits;
  readonly #perKey = new Map<string, number>();
  #bytes = 0;
  #requests = 0;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What gives the place back (safe twice), or why there is none. */
  enter(key: string, bytes: number): (() => void) | Refusal {
    const { bytesMax, requestsMax, requestsPerKeyMax } = this.#limits;
    const ofKey = this.#perKey.get(key) ?? 0;
    if (ofKey >= requestsPerKeyMax) return 'key-busy';
    if (this.#requests >= requestsMax || this.#bytes + bytes > bytesMax) return 'busy';
    this.#requests++;
    this.#bytes += bytes;
    this.#perKey.set(key, ofKey + 1);
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      this.#requests--;
      this.#bytes -= bytes;
      const left = this.#perKey.get(key)! - 1;
      if (left === 0) this.#perKey.delete(key);
      else this.#perKey.set(key, left);
    };
  }
}
