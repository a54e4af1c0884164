/** How far a version of a feature set is built: what its group has committed, against what there is. */
import { openCodec } from '@millrace/avro';
import { catalogue, consumerGroup, type Progress, type Run, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { backfillTopics } from '@millrace/feature';
import { type GlobalTable, globalTable, type PartitionOffset } from '@millrace/stream';
import type { World } from '../world/prepare.ts';

export interface HowFar {
  /** Events of the history that are folded, and how many there are. */
  readonly history: { readonly done: number; readonly all: number };
  /** Events that are there and not folded yet, history with them. */
  readonly eventsBehind: number;
  /** The same, with what is on its way between stages. */
  readonly recordsBehind: number;
  /** Every task has released the vectors of history up to this event time; undefined before and after. */
  readonly eventTimeMs: number | undefined;
  /** Processes that work on it. */
  readonly members: number;
  /** Somebody has worked on it. */
  readonly hasCommitted: boolean;
}

const placeOf = ({ topic, partition }: Pick<PartitionOffset, 'topic' | 'partition'>): string =>
  `${topic} ${partition}`;
const offsets = (all: readonly PartitionOffset[]): ReadonlyMap<string, number> =>
  new Map(all.map(at => [placeOf(at), at.offset]));

export class Building {
  readonly #world: World;
  readonly #set: Pipeline;
  readonly #run: Run | undefined;
  readonly #group: string;
  readonly #progress: GlobalTable<Progress>;

  private constructor(world: World, set: Pipeline, run: Run | undefined, progress: GlobalTable<Progress>) {
    this.#world = world;
    this.#set = set;
    this.#run = run;
    this.#group = consumerGroup('feature', set);
    this.#progress = progress;
  }

  /** @param run the backfill with which the version began; undefined where it began live. Close it after use. */
  static async open(
    world: World,
    set: Pipeline,
    run: Run | undefined,
    signal: AbortSignal,
  ): Promise<Building> {
    const { broker, registry, clock } = world;
    const topic = topicsOf(set).progress;
    const codec = await openCodec<Progress>(
      registry,
      catalogue([set]).find(({ name }) => name === topic)!.value!,
    );
    const progress = globalTable<Progress>({ broker, topic, codec, clock });
    await progress.start(signal);
    return new Building(world, set, run, progress);
  }

  async close(): Promise<void> {
    await this.#progress.stop(CLOSE_MS_MAX);
  }

  async look(): Promise<HowFar> {
    const { admin } = this.#world.broker;
    const { sources, lanes } = backfillTopics(this.#set);
    const committed = offsets(await admin.committed(this.#group, [...sources, ...lanes]));
    const stretches = new Map(this.#run?.slice.map(at => [placeOf(at), at]));
    const history = { done: 0, all: 0 };
    const behind = { events: 0, records: 0 };
    for (const topic of [...sources, ...lanes]) {
      const begins = offsets(await admin.beginningOffsets(topic));
      for (const end of await admin.endOffsets(topic)) {
        const stretch = stretches.get(placeOf(end));
        const begin = begins.get(placeOf(end)) ?? 0;
        const position = Math.max(committed.get(placeOf(end)) ?? 0, stretch?.from ?? begin);
        const left = Math.max(0, end.offset - position);
        behind.records += left;
        if (sources.includes(topic)) behind.events += left;
        if (stretch === undefined) continue;
        history.all += stretch.until - stretch.from;
        history.done += Math.min(position, stretch.until) - stretch.from;
      }
    }
    const members = await admin.groupMembers(this.#group);
    return {
      history,
      eventsBehind: behind.events,
      recordsBehind: behind.records,
      eventTimeMs: this.#eventTimeMs(),
      members,
      hasCommitted: committed.size > 0,
    };
  }

  #eventTimeMs(): number | undefined {
    const { sliceMs = 0 } = this.#run ?? {};
    const released = [...this.#progress.entries()].map(([, value]) => value.released);
    if (released.length < this.#set.partitions || released.includes(null)) return undefined;
    const times = released.flatMap(epoch => (epoch?.phase === 'replay' ? [(epoch.n + 1) * sliceMs] : []));
    // Tasks that are live, or behind all history (an epoch without a time), hold nobody back.
    const pending = times.filter(ms => ms <= TIME_MS_MAX);
    return pending.length === 0 ? undefined : Math.min(...pending);
  }
}

/** The last time that a date can say. */
const TIME_MS_MAX = 8.64e15;
const CLOSE_MS_MAX = 5_000;
