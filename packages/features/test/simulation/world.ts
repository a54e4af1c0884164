import { type History, recordedHistory, type RecordedEnd, replayHistory } from '../../src/epochs/history.ts';

/** A seeded generator (mulberry32), so that every run of a seed is the same run. */
export interface Dice {
  /** Whole number in [0, n). */
  below(n: number): number;
  chance(probability: number): boolean;
}

export function diceOf(seed: number): Dice {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return { below: n => Math.floor(next() * n), chance: probability => next() < probability };
}

export interface SimEvent {
  readonly id: number;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly orderTimeMs: number;
  readonly isLabel: boolean;
  readonly sequence: number;
  readonly appendTimeMs: number;
  /** Its partition is `entity % partitions`. */
  readonly entity: number;
  /** The next stage's key; its partition is `key % partitions`. */
  readonly key: number;
}

export interface SimRow {
  readonly event: SimEvent;
  /** What the source stage computed. */
  readonly first: number;
  /** What the second stage computed. */
  readonly second: number;
}

export interface LaneRecord {
  readonly lane: number;
  readonly epoch: number;
  readonly row: SimRow | undefined;
}

/** A log as a reader of committed records sees it. */
export type Log<T> = { readonly records: T[] };

export interface Vector {
  readonly row: SimRow;
  readonly epoch: number;
  readonly partition: number;
}

/** Heads and progress in the order of their commits; each task reads them at its own pace. */
export interface ProgressRecord {
  readonly task: number;
  readonly head: number;
  readonly released: number;
}

/** Rules taken away one at a time, to show that the simulation sees it. */
export type Mutant =
  | 'none'
  | 'commits-the-position' // rule 5
  | 'commits-the-lowest-row' // rule 5, markers forgotten
  | 'one-sort-over-several' // rule 4
  | 'forgets-how-far-it-had-read' // rule 6
  | 'head-after-the-commit' // rule 9
  | 'idle-sources-do-not-mark' // rule 8
  | 'idle-sources-always-mark' // rule 8
  | 'releases-in-fold-order' // rule 10
  | 'never-pauses'; // rule 7

export interface World {
  readonly partitions: number;
  readonly epochMs: number;
  epochsAheadMax: number;
  readonly mutant: Mutant;
  readonly dice: Dice;
  /** [topic][partition]: what lies in the past when the tasks start; empty where all is live. */
  histories: readonly (readonly History[])[];
  /** Records that came too late for their epochs in lives that have ended. */
  bumped: number;
  nextId: number;
  nowMs: number;
  /** [topic][partition]: events, labels. */
  readonly sources: readonly (readonly Log<SimEvent>[])[];
  readonly second: readonly Log<LaneRecord>[];
  readonly last: readonly Log<LaneRecord>[];
  readonly vectors: Vector[];
  readonly progress: ProgressRecord[];
  /** [topic][partition]: what tasks wrote down of their live epochs. */
  readonly recorded: readonly (readonly RecordedEnd[][])[];
  /** Records committed, of any kind. */
  writes: number;
  crashes: number;
}

export function worldOf(dice: Dice, mutant: Mutant, partitions = 2 + dice.below(3)): World {
  const logs = <T>(): Log<T>[] => Array.from({ length: partitions }, () => ({ records: [] as T[] }));
  return {
    partitions,
    epochMs: 100,
    epochsAheadMax: 1 + dice.below(4),
    mutant,
    dice,
    histories: [],
    bumped: 0,
    nextId: 0,
    nowMs: 1_000_000,
    sources: [logs<SimEvent>(), logs<SimEvent>()],
    second: logs<LaneRecord>(),
    last: logs<LaneRecord>(),
    vectors: [],
    progress: [],
    recorded: TOPICS.map(() => Array.from({ length: partitions }, () => [])),
    writes: 0,
    crashes: 0,
  };
}

export const TOPICS = ['events', 'labels'] as const;

/** Appends some events or labels to one partition, with an append clock that may step back. */
export function produce(world: World): void {
  const { dice } = world;
  const topic = dice.chance(0.25) ? 1 : 0;
  // A skewed choice: the first partition gets most, the last one next to nothing.
  const partition = Math.min(dice.below(world.partitions), dice.below(world.partitions));
  const log = world.sources[topic]![partition]!;
  for (let more = 1 + dice.below(4); more > 0; more--) {
    const offset = log.records.length;
    log.records.push({
      id: world.nextId++,
      topic: TOPICS[topic]!,
      partition,
      offset,
      isLabel: topic === 1,
      sequence: dice.below(3),
      orderTimeMs: world.nowMs - dice.below(dice.chance(0.1) ? 2_000 : 20),
      appendTimeMs: world.nowMs - (dice.chance(0.05) ? dice.below(300) : 0),
      entity: partition + world.partitions * dice.below(3),
      key: dice.below(world.partitions * 2),
    });
  }
}

/** Event times are older than the append clock by at most this, milliseconds. */
const DISORDER_MS = 2_000;

/** Makes a past of everything produced so far: slices of order time, of a width that the dice choose. */
export function replayThePast(world: World, disorderMs = DISORDER_MS): void {
  const sliceMs = 200 + world.dice.below(2_000);
  world.histories = world.sources.map(logs =>
    logs.map(log => replayHistory({ sliceMs, disorderMs, until: log.records.length })),
  );
  world.epochsAheadMax = Math.ceil(DISORDER_MS / sliceMs) + 1 + world.dice.below(3);
}

/** Everything again: up to the epoch `last` as it was written down, with the past before it, and then live. */
export function repeat(world: World, of: World, last: number): void {
  world.nowMs = of.nowMs;
  world.epochsAheadMax = Math.max(world.epochsAheadMax, of.epochsAheadMax);
  world.sources.forEach((logs, topic) =>
    logs.forEach((log, partition) => log.records.push(...of.sources[topic]![partition]!.records)),
  );
  world.histories = of.recorded.map((partitions, topic) =>
    partitions.map((all, partition) => {
      const ends = all.filter(({ epoch }) => epoch <= last);
      const before = of.histories[topic]?.[partition];
      return recordedHistory({ ends, last, until: ends.at(-1)?.end ?? before?.until ?? 0, before });
    }),
  );
}

type FoldOrdered = Pick<SimEvent, 'orderTimeMs' | 'isLabel' | 'sequence' | 'partition' | 'offset'>;

/** The common order: time, labels before events, sequence, coordinates. */
export const compareFoldOrder = (a: FoldOrdered, b: FoldOrdered): number =>
  a.orderTimeMs - b.orderTimeMs ||
  Number(b.isLabel) - Number(a.isLabel) ||
  a.sequence - b.sequence ||
  a.partition - b.partition ||
  a.offset - b.offset;

/** An accumulator that every earlier event shows in, in order: any other order gives another number. */
export const chain = (before: number, id: number): number =>
  (Math.imul(before ^ (id + 1), 0x01000193) + 7) | 0;
