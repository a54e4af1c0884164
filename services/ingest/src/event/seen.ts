import type { Clock } from '@millrace/telemetry';

export interface SeenOptions {
  /** How long an acknowledged event is remembered, milliseconds. */
  readonly horizonMs: number;
  /** Events remembered at most; the oldest are forgotten first. */
  readonly eventsMax: number;
  readonly clock: Clock;
}

/**
 * Events that the broker has acknowledged to this instance, within a horizon of time and count. It spares a client's
 * repeat a second record; what passes it (another instance, a restart) is judged downstream by the same id.
 */
export class Seen {
  readonly #options: SeenOptions;
  /** When it was acknowledged, in that order. */
  readonly #events = new Map<string, number>();

  constructor(options: SeenOptions) {
    this.#options = options;
  }

  has(topic: string, eventId: string, revision: number): boolean {
    this.#forget();
    return this.#events.has(keyOf(topic, eventId, revision));
  }

  add(topic: string, eventId: string, revision: number): void {
    const key = keyOf(topic, eventId, revision);
    this.#events.delete(key);
    this.#events.set(key, this.#options.clock.now());
    this.#forget();
  }

  #forget(): void {
    const { horizonMs, eventsMax, clock } = this.#options;
    const oldestMs = clock.now() - horizonMs;
    for (const [key, acknowledgedMs] of this.#events) {
      if (acknowledgedMs > oldestMs && this.#events.size <= eventsMax) return;
      this.#events.delete(key);
    }
  }
}

// Ids hold no control characters, so the parts cannot run into each other.
const keyOf = (topic: string, eventId: string, revision: number): string =>
  `${topic}\0${eventId}\0${revision}`;
