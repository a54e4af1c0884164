/**
 * Compares the answers of a run with those of another one, or of the stream. What is compared is what stands on the topics:
 * the predictions, the slice and the terms on `millrace.runs.v1`, and for the causes the newest vectors of the slice and
 * the dead letters. Both sides of one partition are held in memory at a time, `UNITS_MAX` units at most.
 */
import { consumerGroup, LIVE } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import type { World } from '../world/prepare.ts';
import {
  entityOf,
  gather,
  type Gathered,
  type Gathering,
  lettersOf,
  putOffOf,
  type Stretches,
  stretchesOf,
} from './gather.ts';
import { type Absences, judge } from './judge.ts';
import { type Comparison, findSides, type SideName, SIDES } from './sides.ts';
import { UNITS_MAX } from './table.ts';
import { Tally } from './tally.ts';

export interface ReconcileOptions {
  readonly pipeline: Pipeline;
  readonly ids: Readonly<Record<SideName, string>>;
  /** Scores a and b are equal where |a - b| <= tolerance * max(1, |b|). */
  readonly tolerance: number;
  /** Examples of each outcome. */
  readonly top: number;
  readonly unitsMax?: number;
  readonly progressed: (partition: number, of: number) => void;
  readonly signal: AbortSignal;
}

export interface Reconciled {
  readonly comparison: Comparison;
  readonly stretches: Stretches;
  readonly tally: Tally;
}

/** Entities that one side has not answered. */
const absentees = (comparison: Comparison, units: Gathered['units'], name: SideName): ReadonlySet<string> => {
  const absent = new Set<string>();
  for (const [key, { answers }] of units)
    if (answers[name] === undefined) absent.add(entityOf(comparison, key));
  return absent;
};

const absencesOf = async (
  of: Gathering,
  { partition, units }: Gathered,
  liveOffset: number | undefined,
): Promise<Absences> => {
  const letters = { run: new Map<string, string>(), against: new Map<string, string>() };
  let putOff: ReadonlySet<string> = new Set();
  for (const name of SIDES) {
    const absent = absentees(of.comparison, units, name);
    if (absent.size > 0 && of.comparison[name].id === LIVE) putOff = await putOffOf(of, partition, absent);
    if (absent.size > 0)
      for (const [entity, reason] of await lettersOf(of, name, partition, absent))
        letters[name].set(entity, reason);
  }
  return { letters, putOff, liveOffset };
};

/** How far the stream has scored the topic of a slice, by partition. */
const liveOffsets = async ({ broker }: World, { pipeline, run }: Comparison): Promise<ReadonlyMap<number, number>> => {
  const topic = run.slice[0]?.topic;
  if (topic === undefined) return new Map();
  const committed = await broker.admin.committed(consumerGroup('inference', pipeline), [topic]);
  return new Map(committed.map(({ partition, offset }) => [partition, offset]));
}; // prettier-ignore

/** @throws ReconcileRefused where it cannot be done as asked. @throws Error where the signal was aborted */
export const reconcile = async (world: World, options: ReconcileOptions): Promise<Reconciled> => {
  const { pipeline, ids, tolerance, top, unitsMax = UNITS_MAX, progressed, signal } = options;
  const comparison = await findSides(world, pipeline, ids);
  const stretches = await stretchesOf(world, comparison);
  const live = await liveOffsets(world, comparison);
  const gathering: Gathering = { world, comparison, stretches, unitsMax, signal };
  const tally = new Tally(pipeline, top);
  for await (const gathered of gather(gathering)) {
    const { partition, units, unusable } = gathered;
    const absences = await absencesOf(gathering, gathered, live.get(partition));
    const of = { comparison, partition, tolerance, absences };
    tally.unusable += unusable;
    for (const [key, unit] of units) {
      const judgement = judge(of, entityOf(comparison, key), unit);
      if (judgement !== undefined) tally.add({ key, partition, unit, judgement });
    }
    progressed(partition + 1, stretches.predictions.length);
  }
  return { comparison, stretches, tally };
};
