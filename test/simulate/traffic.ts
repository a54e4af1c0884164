import type { SeededRandom } from '@millrace/pipelines';
import { murmur2Partition } from '@millrace/stream';
import type { Values, World } from './world.ts';

/** What must become of a record, whatever happens on its way. */
export type Fate =
  /** Folded; of the scored stream and not withdrawn, it has a vector. */
  | 'folded'
  /** The same id and revision, or a higher one, stands before it in its partition. */
  | 'skipped'
  | 'dead-letter'
  | 'tombstone';

/** One record of a source topic. */
export interface Sent {
  readonly n: number;
  readonly atMs: number;
  readonly stream: string;
  readonly partition: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** Decoded, where it can be. */
  readonly fields: Values | undefined;
  readonly fate: Exclude<Fate, 'skipped'>;
  /** What becomes of its letter where that is sent again. Default: it comes back. */
  readonly again?: 'folded';
}

export interface TrafficOptions {
  readonly partitions: number;
  readonly count: number;
  readonly fromMs: number;
  readonly durationMs: number;
  /** Shares of records, 0 to 1. */
  readonly poison: number;
  readonly repeats: number;
  readonly lates: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The engine of the simulated model refuses rows of this amount. */
export const REFUSED_AMOUNT = 13;

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What producers publish in one run, in the order of its times. */
export class Traffic {
  readonly #world: World;
  readonly #dice: SeededRandom;
  readonly #options: TrafficOptions;
  readonly #payments: Values[] = [];
  readonly #sent: Sent[] = [];

  constructor(world: World, dice: SeededRandom, options: TrafficOptions) {
    this.#world = world;
    this.#dice = dice;
    this.#options = options;
  }

  make(): readonly Sent[] {
    const { count, fromMs, durationMs } = this.#options;
    const dice = this.#dice;
    const times = Array.from({ length: count }, () => fromMs + dice.integer(0, durationMs));
    for (const atMs of times.toSorted((a, b) => a - b)) this.#one(atMs);
    return this.#sent;
  }

  #one(atMs: number): void {
    const dice = this.#dice;
    const { poison, repeats } = this.#options;
    if (dice.chance(poison)) this.#poison(atMs);
    else if (this.#payments.length === 0 || dice.chance(0.65 - repeats)) this.#payment(atMs);
    else if (dice.chance(repeats * 2)) this.#repeat(atMs);
    else this.#label(atMs);
  }

  #send(
    atMs: number,
    stream: string,
    fields: Values | undefined,
    changes: Partial<Pick<Sent, 'key' | 'value' | 'partition' | 'fate' | 'again'>> = {},
  ): void {
    const key =
      changes.key === undefined ? utf8((fields?.['customerId'] as string | undefined) ?? 'c0') : changes.key;
    const value = fields === undefined ? null : this.#world.events.get(stream)!.encode(fields);
    const partition = murmur2Partition(key ?? utf8('c0'), this.#options.partitions);
    const n = this.#sent.length;
    this.#sent.push({ n, atMs, stream, key, value, partition, fields, fate: 'folded', ...changes });
  }

  #fresh(atMs: number): Values {
    const dice = this.#dice;
    const n = this.#sent.length;
    // Within what a stage keeps whole: what it drops beyond depends on all entities of its partition.
    const late = dice.chance(this.#options.lates) ? dice.integer(1, 20 * HOUR_MS) : 0;
    return {
      eventId: `e${n}`,
      revision: 0,
      withdrawn: false,
      sequence: dice.integer(0, 3),
      // Coarse, so that some events are of equal time.
      txAt: Math.floor((atMs - late) / 40) * 40,
      customerId: `c${dice.integer(0, 5)}`,
      terminalId: `t${dice.integer(0, 3)}`,
      amount: dice.chance(0.04) ? REFUSED_AMOUNT : dice.integer(100, 30_000) / 100,
      lineage: null,
    };
  }

  #payment(atMs: number): void {
    const fields = this.#fresh(atMs);
    this.#payments.push({ ...fields });
    this.#send(atMs, 'transactions', fields);
  }

  #label(atMs: number): void {
    const dice = this.#dice;
    const of = this.#payments[dice.integer(0, this.#payments.length - 1)]!;
    const { eventId, txAt, customerId, terminalId, sequence } = of;
    const revision = dice.chance(0.1) ? 1 : 0;
    const knownAt = dice.chance(0.2) ? atMs - dice.integer(0, HOUR_MS) : atMs;
    const isFraud = dice.chance(0.4);
    const withdrawn = false;
    this.#send(atMs, 'labels', { eventId, revision, withdrawn, sequence, txAt, knownAt, customerId, terminalId, isFraud, lineage: null }); // prettier-ignore
  }

  /** The same record again, a correction, or a cancellation. */
  #repeat(atMs: number): void {
    const dice = this.#dice;
    const of = this.#payments[dice.integer(0, this.#payments.length - 1)]!;
    const kind = dice.integer(0, 4);
    const { revision } = of;
    if (kind === 3) of['revision'] = Number(revision) + 1;
    if (kind === 3) of['amount'] = dice.integer(100, 30_000) / 100;
    const withdrawn = kind === 4;
    this.#send(
      atMs,
      'transactions',
      withdrawn ? { ...of, revision: Number(revision) + 1, withdrawn } : { ...of },
    );
  }

  #poison(atMs: number): void {
    const dice = this.#dice;
    const stream = dice.chance(0.2) ? 'labels' : 'transactions';
    const fields = { ...this.#fresh(atMs), knownAt: atMs, isFraud: false };
    const fate = 'dead-letter';
    const kind = dice.integer(0, this.#options.partitions > 1 ? 8 : 5);
    if (kind === 0) return this.#send(atMs, stream, undefined, { fate: 'tombstone' });
    if (kind === 1) return this.#send(atMs, stream, fields, { value: utf8('no frame at all'), fate });
    if (kind === 2) {
      const value = this.#world.events.get(stream)!.encode(fields).slice(0, -3);
      return this.#send(atMs, stream, fields, { value, fate });
    }
    if (kind === 3) return this.#send(atMs, stream, fields, { key: utf8('somebody else'), fate });
    if (kind === 4) return this.#send(atMs, stream, fields, { key: null, fate });
    if (kind === 5) return this.#send(atMs, stream, { ...fields, txAt: atMs + 3 * DAY_MS }, { fate });
    return this.#misplaced(atMs, stream, fields);
  }

  /** By a producer with another partitioner: a letter that is good where its key belongs. */
  #misplaced(atMs: number, stream: string, fields: Values): void {
    const { partitions } = this.#options;
    const home = murmur2Partition(utf8(fields['customerId'] as string), partitions);
    // As any event: others of its id may follow, before or after its letter is sent again.
    if (stream === 'transactions') this.#payments.push({ ...fields });
    const partition = (home + this.#dice.integer(1, partitions - 1)) % partitions;
    this.#send(atMs, stream, fields, { partition, fate: 'dead-letter', again: 'folded' });
  }
}

/** The fate of each record, given in the order of their topics: repeats are known by what comes before them. */
export function fatesOf(sent: readonly Sent[]): ReadonlyMap<number, Fate> {
  const highest = new Map<string, number>();
  const fates = new Map<number, Fate>();
  for (const { n, stream, fields, fate } of sent) {
    fates.set(n, fate);
    // Labels are told apart by when they became known, in the stage that folds them.
    if (fate !== 'folded' || stream !== 'transactions') continue;
    const { eventId, revision } = fields as { eventId: string; revision: number };
    if (revision <= (highest.get(eventId) ?? -1)) fates.set(n, 'skipped');
    else highest.set(eventId, revision);
  }
  return fates;
}
