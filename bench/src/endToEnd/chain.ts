/** The services of a pipeline, each a process of its own, from the events topic to rows in PostgreSQL. */
import type { Pipeline } from '@millrace/define';
import type { Child } from '@millrace/localstack';
import { fraud } from '@millrace/pipelines';
import { cpuSecondsOfFamily, type Memory, memoryOf } from '../linux/usage.ts';
import { untilReady, type Watched, watched } from '../watch.ts';
import type { BenchWorld } from '../world/open.ts';
import {
  benchEntry,
  type Service,
  serviceOf,
  SERVICES,
  type ServiceName,
  shippedEntry,
} from '../world/service.ts';
import { ONE_KEY } from './oneKey.ts';

/** Whom the pipeline as it ships can be measured against. */
export const CHAINS_AGAINST = [ONE_KEY.name] as const;

/** What the CPU is counted of, in this order; the broker's is beside it. */
export const MEASURED = [...SERVICES, 'postgres'] as const;

export interface Chain {
  readonly name: string;
  readonly pipeline: Pipeline;
  readonly services: Readonly<Record<ServiceName, Service>>;
}

const chainOf = (world: BenchWorld, name: string, pipeline: Pipeline, settings: Readonly<Record<string, string>>): Chain => {
  const entryOf = pipeline === fraud ? shippedEntry : benchEntry;
  const service = (one: ServiceName): Service =>
    serviceOf(world, { name: `${name}-${one}`, entry: entryOf(one), pipeline: pipeline.name, settings });
  return { name, pipeline, services: { feature: service('feature'), inference: service('inference'), sink: service('sink') } };
}; // prettier-ignore

/** The pipeline as it ships first. */
export const chainsOf = (
  world: BenchWorld,
  against: string | undefined,
  settings: Readonly<Record<string, string>>,
): readonly Chain[] => [
  chainOf(world, 'millrace', fraud, settings),
  ...(against === undefined ? [] : [chainOf(world, ONE_KEY.name, ONE_KEY, settings)]),
];

export interface RunningChain {
  readonly children: readonly Child[];
  /** In the order of `MEASURED`. */
  readonly watched: readonly Watched[];
  /** Resolves when each has joined its group. */
  ready(): Promise<void>;
  memory(): Readonly<Record<ServiceName, Memory>>;
  stop(): Promise<void>;
}

/** All at once: each waits for what the one before it writes. */
export const startChain = async (world: BenchWorld, { services }: Chain): Promise<RunningChain> => {
  const started = await Promise.allSettled(SERVICES.map(name => services[name].start()));
  const children = started.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(children.map(child => child.stop()));
  };
  for (const one of started)
    if (one.status === 'rejected') {
      await stop();
      throw one.reason;
    }
  const { pid } = world.database!;
  return {
    children,
    watched: [...children.map(watched), { pid, cpuSeconds: () => cpuSecondsOfFamily(pid) }],
    ready: async () => {
      await Promise.all(SERVICES.map((name, i) => untilReady(world, services[name], children[i]!)));
    },
    memory: () => {
      const [feature, inference, sink] = children.map(child => memoryOf(child.pid));
      return { feature: feature!, inference: inference!, sink: sink! };
    },
    stop,
  };
};
