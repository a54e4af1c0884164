/** Several processes of inference, as they ship, that share the partitions of one group. */
import { consumerGroup, topicsOf } from '@millrace/contracts';
import type { Child } from '@millrace/localstack';
import type { PartitionOffset } from '@millrace/stream';
import { offlineScores } from '../check.ts';
import { holdToCores } from '../linux/limit.ts';
import { fill, type Load } from '../load/publish.ts';
import type { Workload, WorkloadOptions } from '../peers/workloads.ts';
import { type Awaiting, untilAllAnswered, untilReady } from '../watch.ts';
import type { BenchWorld } from '../world/open.ts';
import { sumOf } from '../world/offsets.ts';
import { serviceOf, shippedEntry } from '../world/service.ts';

export interface InstancesOptions extends WorkloadOptions {
  readonly records: number;
  readonly rounds: number;
  /** Of the group, at most. */
  readonly processes: number;
  /** Each process is held to that many cores while it counts; undefined: it takes what it gets. */
  readonly cores: number | undefined;
}

/** What all rounds have in common. */
export interface Course {
  readonly world: BenchWorld;
  readonly options: InstancesOptions;
  readonly load: Load;
  readonly scores: Float32Array;
}

/** Answered before anything counts, a process: by then what is called often is compiled. */
const WARM_UP_RECORDS = 120_000;

export const courseOf = async (
  world: BenchWorld,
  workload: Workload,
  options: InstancesOptions,
): Promise<Course> => {
  const { pipeline, modelFolder, features: codec } = world;
  const vectors = workload.vectors();
  const load = { topic: topicsOf(pipeline).features, partitions: pipeline.partitions, codec, vectors };
  return { world, options, load, scores: await offlineScores(modelFolder, vectors) };
};

/** Processes that are warm and have answered all there was. */
export interface Team {
  readonly children: readonly Child[];
  /** Where answers and vectors began, and the first record that nobody has put there yet. */
  readonly outFrom: readonly PartitionOffset[];
  readonly inFrom: readonly PartitionOffset[];
  readonly next: number;
  /** Waits until all from the beginning up to the record `to` (exclusive) is answered by those given. */
  until<T>(to: number, by: readonly Child[], look: (records: number) => T): Promise<readonly T[]>;
}

/** Lets a team of that many work from the record `first` on, and stops it whatever happens. */
export const withTeam = async <T>(
  { world, options, load }: Course,
  processes: number,
  first: number,
  use: (team: Team) => Promise<T>,
): Promise<T> => {
  const { broker, pipeline } = world;
  const { predictions, aside } = topicsOf(pipeline);
  const group = consumerGroup('inference', pipeline);
  const inFrom = await broker.admin.endOffsets(load.topic);
  await broker.admin.resetOffsets(group, [...inFrom, ...(await broker.admin.endOffsets(aside))]);
  const outFrom = await broker.admin.endOffsets(predictions);
  const answered: Awaiting['answered'] = async () =>
    sumOf(await broker.admin.committed(group, [load.topic])) - sumOf(inFrom);
  const until: Team['until'] = (to, by, look) =>
    untilAllAnswered(world, by, { answered, expected: to - first }, look);
  const children: Child[] = [];
  const free: (() => void)[] = [];
  try {
    const services = Array.from({ length: processes }, (_, i) =>
      serviceOf(world, {
        name: `inference-${i + 1}`,
        entry: shippedEntry('inference'),
        pipeline: pipeline.name,
        settings: options.settings,
      }),
    );
    for (const one of services) children.push(await one.start());
    for (const [i, one] of services.entries()) await untilReady(world, one, children[i]!);
    const next = first + WARM_UP_RECORDS * processes;
    await fill(broker, load, first, next);
    await until(next, children, () => undefined);
    if (options.cores !== undefined)
      for (const { pid } of children) free.push(holdToCores(pid, options.cores));
    return await use({ children, outFrom, inFrom, next, until });
  } finally {
    await Promise.all(children.map(one => one.stop()));
    for (const one of free) one();
  }
};
