import {
  chain,
  compareFoldOrder,
  diceOf,
  type Mutant,
  produce,
  repeat,
  replayThePast,
  type SimEvent,
  worldOf,
  type World,
} from './world.ts';
import { partsOf, REPLAY_LAST } from '../../src/epochs/number.ts';
import { SimTask } from './task.ts';

export interface Verdict {
  /** What is wrong, in words; empty when all is well. */
  readonly faults: string[];
  readonly events: number;
  readonly vectors: number;
  readonly crashes: number;
  /** Non-empty epochs that one source partition had sent past the progress, beyond those allowed; before the quiet. */
  readonly aheadTooFar: number;
  /** Records that came too late for their epoch. */
  readonly bumped: number;
  /** Vectors of the past that differ from one fold of all of it in the common order. */
  readonly idealDiffers: number;
  readonly world: World;
}

const INPUTS = 4;

/** How a run begins: live from the first record, over a past that is replayed, or over one with its disorder understated. */
export type Beginning = 'live' | 'replay' | 'replay-understated';

/** Three stages on a few partitions, everything in random order, then quiet; judged against a sequential fold. */
export function simulate(
  seed: number,
  mutant: Mutant = 'none',
  stalled = false,
  beginning: Beginning = 'live',
): Verdict {
  const dice = diceOf(seed);
  const world = worldOf(dice, mutant);
  if (beginning !== 'live') {
    for (let step = 0; step < 150; step++) {
      produce(world);
      world.nowMs += dice.below(400);
    }
    replayThePast(world, beginning === 'replay' ? undefined : 100);
  }
  const tasks = Array.from({ length: world.partitions }, (_, p) => new SimTask(world, p));
  for (let step = 0; step < 600; step++) {
    if (dice.chance(0.35)) produce(world);
    if (dice.chance(0.4)) world.nowMs += dice.below(dice.chance(0.05) ? 1_500 : 60);
    const p = dice.below(world.partitions);
    // A stalled task only reads: what the others do then must stay bounded.
    if (stalled && p === 0) continue;
    act(tasks[p]!, dice);
  }
  const aheadTooFar = epochsAhead(world) - world.epochsAheadMax;
  const isQuiet = settle(world, tasks);
  const bumped = tasks.reduce((sum, task) => sum + task.bumped, world.bumped);
  return { ...judge(world, isQuiet), aheadTooFar, bumped, idealDiffers: countUnideal(world), world };
}

/**
 * The same sources with other crashes and other turns: by their recorded epochs as far as all tasks had released at some
 * time of the first run, then live. Vectors of that stretch that differ are a fault.
 */
export function simulateAgain(seed: number, first: World): Verdict & { readonly again: number } {
  const dice = diceOf(seed);
  const world = worldOf(dice, 'none', first.partitions);
  const last = releasedAt(first, dice.below(first.progress.length + 1));
  repeat(world, first, last);
  const tasks = Array.from({ length: world.partitions }, (_, p) => new SimTask(world, p));
  for (let step = 0; step < 600; step++) act(tasks[dice.below(world.partitions)]!, dice);
  const verdict = judge(world, settle(world, tasks));
  const now = new Map(world.vectors.map(v => [v.row.event.id, v]));
  const before = first.vectors.filter(({ epoch }) => epoch <= last);
  const differs = before.filter(({ row, epoch }) => {
    const other = now.get(row.event.id);
    return other?.epoch !== epoch || other.row.first !== row.first || other.row.second !== row.second;
  }).length;
  if (differs > 0) verdict.faults.push(`${differs} differ from the run before`);
  const more = [...now.values()].filter(({ epoch }) => epoch <= last).length - before.length;
  if (more > 0) verdict.faults.push(`${more} more in these epochs than the run before`);
  return { ...verdict, again: before.length, aheadTooFar: 0, bumped: 0, idealDiffers: 0, world };
}

/** The newest epoch that all tasks had released after so many records of their progress; the last replay epoch at least. */
function releasedAt({ progress, partitions }: World, records: number): number {
  const released = new Map(progress.slice(0, records).map(({ task, released }) => [task, released]));
  return released.size < partitions ? REPLAY_LAST : Math.max(REPLAY_LAST, Math.min(...released.values()));
}

function act(task: SimTask, dice: ReturnType<typeof diceOf>): void {
  const what = dice.below(12);
  if (what < 5) task.read(dice.below(INPUTS), 1 + dice.below(5));
  else if (what < 6) task.readProgress();
  else if (what < 8) task.advance();
  else if (what < 10) task.commit();
  else if (what < 11) task.publishLate();
  else if (dice.chance(0.5)) task.crash();
  else if (dice.chance(0.2)) task.commitAndCrash();
}

/** Runs everything to its end without further events. False: something is stuck, or will not stop writing. */
function settle(world: World, tasks: readonly SimTask[]): boolean {
  let quiet = 0;
  for (let round = 0; round < 3_000 && quiet < 20; round++) {
    const before = world.writes;
    world.nowMs += 25;
    let read = false;
    for (const task of tasks) {
      task.readProgress();
      for (let input = 0; input < INPUTS; input++) read = task.read(input, 7) || read;
      task.advance();
      task.commit();
      task.publishLate();
    }
    quiet = world.writes === before && !read ? quiet + 1 : 0;
  }
  return quiet >= 20;
}

function judge(world: World, isQuiet: boolean): Pick<Verdict, 'faults' | 'events' | 'vectors' | 'crashes'> {
  const faults: string[] = [];
  if (!isQuiet) faults.push('it does not come to rest');
  const scored = world.sources[0]!.flatMap(log => log.records);
  const times = new Map<number, number>();
  for (const { row } of world.vectors) times.set(row.event.id, (times.get(row.event.id) ?? 0) + 1);
  const lost = scored.filter(event => !times.has(event.id)).length;
  const doubled = [...times.values()].filter(n => n > 1).length;
  if (lost > 0) faults.push(`${lost} lost`);
  if (doubled > 0) faults.push(`${doubled} doubled`);
  const wrong = countWrong(world);
  if (wrong > 0) faults.push(`${wrong} differ from the sequential fold`);
  const last = new Map<number, number>();
  let overtaken = 0;
  for (const { row, epoch, partition } of world.vectors) {
    if (row.event.partition !== partition) faults.push('released by another partition');
    // A replay releases in the order of the fold.
    if (partsOf(epoch).phase === 'replay') continue;
    if (row.event.offset <= (last.get(partition) ?? -1)) overtaken++;
    last.set(partition, row.event.offset);
  }
  if (overtaken > 0) faults.push(`${overtaken} out of source order`);
  return { faults, events: scored.length, vectors: world.vectors.length, crashes: world.crashes };
}

/** Epochs as they were written down; within each the common order; one event after the other. */
function countWrong(world: World): number {
  const rows = world.second.flatMap(log => log.records).filter(record => record.row !== undefined);
  const recorded = rows.map(({ epoch, row }) => ({ epoch, event: row!.event }));
  recorded.sort((a, b) => a.epoch - b.epoch || compareFoldOrder(a.event, b.event));
  const expected = foldAll(recorded);
  return world.vectors.filter(({ row, epoch }) => {
    const e = expected.get(row.event.id);
    return e === undefined || e.first !== row.first || e.second !== row.second || e.epoch !== epoch;
  }).length;
}

/** Epochs left out: the past in the common order, one event after the other. */
function countUnideal(world: World): number {
  const past = world.sources
    .flatMap((logs, topic) =>
      logs.flatMap((log, partition) => log.records.slice(0, world.histories[topic]?.[partition]?.until ?? 0)),
    )
    .sort(compareFoldOrder);
  const expected = foldAll(past.map(event => ({ epoch: 0, event })));
  return world.vectors.filter(({ row }) => {
    const e = expected.get(row.event.id);
    return e !== undefined && (e.first !== row.first || e.second !== row.second);
  }).length;
}

type Folded = { readonly first: number; readonly second: number; readonly epoch: number };

function foldAll(
  recorded: readonly { readonly epoch: number; readonly event: SimEvent }[],
): ReadonlyMap<number, Folded> {
  const byEntity = new Map<number, number>();
  const byKey = new Map<number, number>();
  const expected = new Map<number, Folded>();
  const fold = (state: Map<number, number>, key: number, event: SimEvent): number => {
    const value = chain(state.get(key) ?? 0, event.id);
    state.set(key, value);
    return value;
  };
  for (const { epoch, event } of recorded) {
    const first = fold(byEntity, event.entity, event);
    expected.set(event.id, { first, second: fold(byKey, event.key, event), epoch });
  }
  return expected;
}

function epochsAhead(world: World): number {
  const released = world.progress.reduce((map, p) => map.set(p.task, p.released), new Map<number, number>());
  const progress = released.size < world.partitions ? -Infinity : Math.min(...released.values());
  const ahead = new Map<string, Set<number>>();
  for (const { epoch, row } of world.second.flatMap(log => log.records)) {
    if (row === undefined || epoch <= progress) continue;
    const input = `${row.event.topic} ${row.event.partition}`;
    ahead.set(input, (ahead.get(input) ?? new Set()).add(epoch));
  }
  return Math.max(0, ...[...ahead.values()].map(epochs => epochs.size));
}
