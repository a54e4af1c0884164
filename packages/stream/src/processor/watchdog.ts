import type { PartitionOffset, TopicDescription } from '../broker/port.ts';
import type { Lane } from './lane.ts';
import { PARTITIONS_REMEDY, type Setting } from './setting.ts';
import { asError, StalledError } from './trouble.ts';

/**
 * What a task waits for. `ours`: it must come within the stall time. `others`: it may depend on another process, whose
 * own watchdog goes first. `stated`: what is waited for has a limit or a stated behaviour of its own.
 */
export interface Wait {
  readonly what: string;
  readonly on: 'ours' | 'others' | 'stated';
}

/** When a task moved last, through all of its generations in this process. */
export interface Progress {
  atMs: number;
}

type WatchedLane = Pick<Lane<unknown>, 'at' | 'tracker' | 'queue' | 'gate' | 'rows'>;

/** A task, as its watchdog sees it. */
export interface Watched {
  readonly progress: Progress;
  readonly lanes: readonly WatchedLane[];
  waitsFor(): Wait;
}

export interface WatchdogOf {
  readonly setting: Pick<
    Setting<unknown, object>,
    'name' | 'topics' | 'broker' | 'clock' | 'stallMsMax' | 'waitsFor'
  >;
  /** Ids and partition counts at the start, by name, of every topic that the processor reads or writes. */
  readonly topicIds: ReadonlyMap<string, string>;
  readonly partitions: ReadonlyMap<string, number>;
  readonly tasks: () => Iterable<readonly [task: number, watched: Watched]>;
  readonly fatal: (error: Error) => void;
}

/** A task that has records to work on and does not move from one look to the next. */
interface Standing {
  /** When it moved last. */
  readonly atMs: number;
  /** Of the first look that found it so. */
  readonly sinceMs: number;
  /** Looks since then. */
  readonly looks: number;
}

const CHECKS_PER_STALL = 6;
/** A broker that has just come up may not know every topic yet. */
const CHECKS_MISSING = 2;
const OTHERS_FIRST = 2;

/**
 * Ends a process that has records to work on and commits nothing, for a supervisor to start it again, and one that has
 * a topic which is not the one any more that it was. It asks Kafka itself, on the connections of the admin: what it sees does
 * not depend on the fetching that may be what hangs. While Kafka does not answer nobody is to blame, and time starts anew.
 * What counts is what was seen: so many looks in a row. How long nothing came before does not, nor does a slow answer.
 */
export class Watchdog {
  readonly #of: WatchdogOf;
  readonly #missing = new Map<string, number>();
  /** Positions at the last look. */
  readonly #seen = new WeakMap<WatchedLane, number>();
  /** Of tasks that had records to work on, and no excuse, at the last look. */
  #standing = new Map<Progress, Standing>();

  constructor(of: WatchdogOf) {
    this.#of = of;
  }

  /** Watches until the signal is aborted or it has found something. */
  async run(signal: AbortSignal): Promise<void> {
    const { setting, fatal } = this.#of;
    const { clock, stallMsMax } = setting;
    try {
      for (;;) {
        await clock.sleep(Math.max(1, stallMsMax / CHECKS_PER_STALL), signal);
        await this.#check();
      }
    } catch (error) {
      if (!signal.aborted) fatal(asError(error));
    }
  }

  async #check(): Promise<void> {
    const { setting, tasks } = this.#of;
    const { clock, stallMsMax } = setting;
    const { admin } = setting.broker;
    const before = this.#standing;
    // Who is not looked at, or has an excuse, is not standing.
    this.#standing = new Map();
    const found = await admin.describeTopics([...this.#of.topicIds.keys()]).catch(() => undefined);
    if (found === undefined) return;
    this.#compare(found);
    const topics = new Map<string, Promise<readonly PartitionOffset[]>>();
    for (const [task, watched] of tasks()) {
      const { what, on } = this.#waitOf(task, watched);
      const { progress } = watched;
      const { atMs } = progress;
      // One that has moved since the last look needs none.
      if (clock.now() - atMs < stallMsMax / CHECKS_PER_STALL && on !== 'stated') continue;
      const ends = await this.#ends(watched, topics);
      if (ends === undefined) return this.#standing.clear();
      const { lag, stuck } = this.#look(watched, ends);
      if (lag === 0 || progress.atMs !== atMs || (on === 'stated' && stuck === undefined)) continue;
      const last = before.get(progress);
      const standing =
        last?.atMs === atMs ? { ...last, looks: last.looks + 1 } : { atMs, sinceMs: clock.now(), looks: 0 };
      this.#standing.set(progress, standing);
      const { looks, sinceMs } = standing;
      if (looks >= CHECKS_PER_STALL * (on === 'others' ? OTHERS_FIRST : 1))
        throw new StalledError({
          name: setting.name,
          task,
          lag,
          forMs: clock.now() - sinceMs,
          what: stuck ?? what,
        });
    }
  }

  #waitOf(task: number, watched: Watched): Wait {
    const stated = this.#of.setting.waitsFor(task);
    return stated === undefined ? watched.waitsFor() : { what: stated, on: 'stated' };
  }

  /** @throws Error naming the first topic that is gone, or is another one under the same name. */
  #compare(found: readonly TopicDescription[]): void {
    const { setting, topicIds } = this.#of;
    for (const topic of topicIds.keys()) {
      const now = found.find(({ name }) => name === topic);
      const times = now === undefined ? (this.#missing.get(topic) ?? 0) + 1 : 0;
      this.#missing.set(topic, times);
      if (times >= CHECKS_MISSING)
        throw new Error(`${setting.name}: topic ${topic} was deleted while it was in use`);
      if (now !== undefined && now.id !== topicIds.get(topic))
        throw new Error(`${setting.name}: topic ${topic} was deleted and made anew while it was in use`);
      const isInput = setting.topics.includes(topic);
      if (isInput && now !== undefined && now.partitions !== this.#of.partitions.get(topic))
        throw new Error(
          `${setting.name}: topic ${topic} has ${now.partitions} partitions, and had ` +
            `${this.#of.partitions.get(topic)} when it was joined. ${PARTITIONS_REMEDY}`,
        );
    }
  }

  /** @param topics what was asked in this round already: tasks have topics in common */
  async #ends(
    { lanes }: Watched,
    topics: Map<string, Promise<readonly PartitionOffset[]>>,
  ): Promise<readonly PartitionOffset[] | undefined> {
    const { admin } = this.#of.setting.broker;
    const asked = [...new Set(lanes.map(({ at }) => at.topic))].map(topic => {
      const known = topics.get(topic) ?? admin.endOffsets(topic);
      topics.set(topic, known);
      return known;
    });
    const ends = await Promise.all(asked).catch(() => undefined);
    return ends?.flat();
  }

  /** How much is left to commit, and whether a lane that may be read has not been read since the last look. */
  #look({ lanes }: Watched, ends: readonly PartitionOffset[]): { lag: number; stuck: string | undefined } {
    let lag = 0;
    let stuck: string | undefined;
    for (const lane of lanes) {
      const { topic, partition } = lane.at;
      const end = ends.find(at => at.topic === topic && at.partition === partition)?.offset ?? 0;
      const { position, watermark } = lane.tracker;
      // What was cut and is not committed yet lies behind the watermark already.
      lag += Math.max(0, end - watermark, lane.rows);
      const isUnread = lane.queue.length === 0 && !lane.gate.isClosed && end > position;
      if (isUnread && this.#seen.get(lane) === position)
        stuck = `records of ${topic}-${partition} to be fetched`;
      this.#seen.set(lane, position);
    }
    return { lag, stuck };
  }
}
