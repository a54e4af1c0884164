import { catalogue, type Run } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { RunLog } from '@millrace/inference';
import type { PartitionOffset, TopicDescription } from '@millrace/stream';
import type { World } from '../world/prepare.ts';
import { ReplayRefused } from './refused.ts';
import { type Known, knownOf, positionsOf, REPLAY, runIdOf, type Terms } from './run.ts';
import { type Asked, offsetsIn, sliceOf } from './slice.ts';
import { type Target, targetOf } from './target.ts';

export interface ReplayOptions {
  readonly asked: Asked;
  /** Id of the run; without it what is asked gives one. */
  readonly run: string | undefined;
  readonly by: string;
  readonly pipelines: readonly Pipeline[];
}

/** A run as it would be executed now. */
export interface Plan {
  readonly id: string;
  readonly terms: Terms;
  readonly from: TopicDescription;
  readonly target: Target;
  readonly log: RunLog;
  readonly known: Known;
  /** As the run was begun, or as it would be now. */
  readonly run: Run;
  /** Where it goes on, in each partition; undefined where Kafka has forgotten it. */
  readonly positions: readonly PartitionOffset[] | undefined;
  /** Offsets that were asked for, and are no longer kept. */
  readonly gone: number;
}

const described = async ({ broker }: World, name: string): Promise<TopicDescription> => {
  const [topic] = await broker.admin.describeTopics([name]);
  if (topic === undefined)
    throw new ReplayRefused(`no topic ${name}; create it, or run: millrace topics apply --execute`);
  return topic;
};

/** Nothing is written. @throws UsageError, ReplayRefused where it cannot be done as asked */
export const planReplay = async (world: World, options: ReplayOptions): Promise<Plan> => {
  const { asked, pipelines, by } = options;
  const { admin } = world.broker;
  const [from, to] = [await described(world, asked.topic), await described(world, asked.to)];
  const target = targetOf(pipelines, from.name, to);
  const terms: Terms = { asked, topicId: from.id, toId: to.id };
  const id = options.run ?? runIdOf(terms);
  const log = await RunLog.open(world.broker, world.registry);
  const known = knownOf(await log.of(id), id, terms);
  const { stretches: slice, gone } = await sliceOf(admin, asked);
  const pipeline = catalogue(pipelines).find(({ name }) => name === asked.topic)?.pipeline ?? '';
  const run = known.begun ?? {
    run: id, kind: REPLAY, pipeline, state: 'captured', at: world.clock.now(), by, featureSet: 0, featureSetHash: '',
    sliceMs: 0, disorderMs: 0, epochsOf: 0, epochsUntil: 0, slice: [...slice], report: JSON.stringify(terms),
  }; // prettier-ignore
  const starts = run.slice.map(({ topic, partition, from: offset }) => ({ topic, partition, offset }));
  const isUnderWay = known.begun !== undefined && known.done === undefined;
  const positions = isUnderWay ? await positionsOf(admin, run) : starts;
  return { id, terms, from, target, log, known, run, positions, gone };
};

/** Offsets of the slice that are behind, and all of them. */
export const howFar = ({ slice }: Pick<Run, 'slice'>, positions: readonly PartitionOffset[]) => {
  const left = slice.reduce((sum, { partition, until }) => {
    const position = positions.find(at => at.partition === partition)?.offset ?? until;
    return sum + Math.max(0, until - position);
  }, 0);
  const total = offsetsIn(slice);
  return { done: total - left, total };
};
