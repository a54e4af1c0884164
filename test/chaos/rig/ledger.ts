/** What was given to the brokers, and what they have acknowledged: against it everything is judged. */
import type { SimulatedEvent } from '@millrace/pipelines';

export interface Entry {
  readonly n: number;
  /** `event`: to be scored. `label`: changes state, has no answer. `poison`: cannot be read, belongs to the dead letters. */
  readonly kind: 'event' | 'label' | 'poison';
  readonly id: string;
  readonly key: string;
  readonly topic: string;
  /** Where the brokers put it; undefined until they have acknowledged it. */
  at?: { readonly partition: number; readonly offset: number };
}

export class Ledger {
  readonly entries: Entry[] = [];
  /** What was simulated, by running number: the offline fold begins here. */
  readonly events = new Map<number, SimulatedEvent>();
  acknowledged = 0;

  add(entry: Omit<Entry, 'n'>, event?: SimulatedEvent): Entry {
    const added = { ...entry, n: this.entries.length };
    this.entries.push(added);
    if (event !== undefined) this.events.set(added.n, event);
    return added;
  }

  acknowledge(n: number, at: NonNullable<Entry['at']>): void {
    const entry = this.entries[n]!;
    if (entry.at === undefined) this.acknowledged++;
    entry.at = at;
  }

  get outstanding(): number {
    return this.entries.length - this.acknowledged;
  }
}

export const placeName = (topic: string, partition: number, offset: number): string =>
  `${topic}/${partition}/${offset}`;
