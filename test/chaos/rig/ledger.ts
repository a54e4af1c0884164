/** What was given to the brokers, and what they have acknowledged: against it everything is judged. */
import type { SimulatedEvent } from '@millrace/pipelines';

/**
 * `event`: to be scored. `poison`: cannot be read, belongs to the dead letters. `label`: changes state, has no answer.
 * `again`: an event sent once more, which has no second effect. `aborted`: of a transaction that was not committed.
 */
export type Kind = 'event' | 'poison' | 'label' | 'again' | 'aborted';

export interface Entry {
  readonly n: number;
  readonly kind: Kind;
  readonly id: string;
  readonly key: string;
  readonly topic: string;
  acknowledged: boolean;
  /** Where it was put; who sends over HTTP is not told. */
  at?: { readonly partition: number; readonly offset: number };
}

export const isAnswered = (kind: Kind): boolean => kind === 'event' || kind === 'poison';

export class Ledger {
  readonly entries: Entry[] = [];
  /** What was simulated, by running number: the offline fold begins here. */
  readonly events = new Map<number, SimulatedEvent>();
  /** Given, and not acknowledged yet. */
  outstanding = 0;

  add(given: Pick<Entry, 'kind' | 'id' | 'key' | 'topic'>, event?: SimulatedEvent): Entry {
    const entry = { ...given, n: this.entries.length, acknowledged: false };
    this.entries.push(entry);
    if (event !== undefined) this.events.set(entry.n, event);
    if (entry.kind !== 'aborted') this.outstanding++;
    return entry;
  }

  acknowledge(n: number, at?: NonNullable<Entry['at']>): void {
    const entry = this.entries[n]!;
    if (!entry.acknowledged && entry.kind !== 'aborted') this.outstanding--;
    entry.acknowledged = true;
    if (at !== undefined) entry.at = at;
  }
}

export const placeName = (topic: string, partition: number, offset: number): string =>
  `${topic}/${partition}/${offset}`;
