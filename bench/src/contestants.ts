/** Those who are measured: how each is started as a process of its own. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { consumerGroup, topicsOf } from '@millrace/contracts';
import type { Child } from '@millrace/localstack';
import { fraud } from '@millrace/pipelines';
import { jobOf, writeJob, type Written } from './job.ts';
import { launch } from './launch.ts';
import type { BenchWorld } from './world/open.ts';
import {
  benchEntry,
  type Entry,
  ROOT,
  saysReady,
  type Service,
  serviceOf,
  shippedEntry,
} from './world/service.ts';

/** Whom the service as it ships is measured against: another program, or itself with the other way to deliver. */
export const AGAINST = ['plain', 'at-least-once'] as const;
export type Against = (typeof AGAINST)[number];

export interface Contestant {
  readonly name: string;
  readonly outTopic: string;
  readonly written?: Partial<Written>;
  /** The group of the next start, which has no members. */
  nextGroup(): string;
  /** The group of the start before. */
  group(): string;
  start(): Promise<Child>;
}

/** One that tells whether it has joined its group and would answer now. */
export type Joiner = Contestant & Service;

/** Where the plain baseline writes. */
export const BASELINE_TOPIC = 'bench.baseline-predictions.v1';

export interface MillraceOptions {
  readonly settings: Readonly<Record<string, string>>;
  /** A CPU profile is written there at each stop. */
  readonly profile?: string | undefined;
}

/** How a pipeline delivers is a line of its definition. */
export type Delivery = 'exactly-once' | 'at-least-once';

/** The service that ships; the other way to deliver is put into the pipeline's file as it is loaded. */
const shipped = (delivery: Delivery): Entry => {
  const entry = shippedEntry('inference');
  if (delivery === 'exactly-once') return entry;
  return {
    args: ['--import', join(ROOT, 'test/mutants/register.ts'), ...entry.args],
    environment: { MILLRACE_MUTANT: 'inference-at-least-once' },
  };
};

/** The same service with a pipeline that does not ship. */
const served = (delivery: Delivery): Entry => {
  const { args, environment } = benchEntry('inference');
  return { args, environment: { ...environment, BENCH_DELIVERY: delivery } };
};

/** The inference service: everything at its default, but for the settings given. */
export const millrace = (
  world: BenchWorld,
  delivery: Delivery,
  { settings, profile }: MillraceOptions,
): Joiner => {
  const { pipeline } = world;
  const name = delivery === 'exactly-once' ? 'millrace' : 'at-least-once';
  const entry = pipeline.name === fraud.name ? shipped(delivery) : served(delivery);
  const group = (): string => consumerGroup('inference', pipeline);
  return {
    ...serviceOf(world, { name, entry, pipeline: pipeline.name, settings, profile }),
    name,
    // It takes leave when it stops, so that the group is free again.
    nextGroup: group,
    group,
    outTopic: topicsOf(pipeline).predictions,
  };
};

/** kafkajs, avsc and ONNX Runtime, put together in the plainest way. */
export const plain = (world: BenchWorld, outTopic: string): Joiner => {
  const contestant = 'plain';
  const readyFile = join(world.directory, `${contestant}.ready.json`);
  // It is killed and remains a member for a while, as kafkajs has it: each start has a group of its own.
  let starts = 0;
  const group = (): string => `bench.plain.${starts}`;
  return {
    name: contestant,
    outTopic,
    nextGroup: () => {
      starts++;
      return group();
    },
    group,
    start: () => {
      rmSync(readyFile, { force: true });
      // It commits after each share of a fetch.
      const asked = { contestant, group: group(), outTopic, exactlyOnce: false, commitMs: 0 };
      const args = [join(import.meta.dirname, 'baseline/main.ts'), writeJob(jobOf(world, asked))];
      return launch(world, { name: contestant, command: process.execPath, args });
    },
    ready: () => saysReady(readyFile),
  };
};

export interface Match extends MillraceOptions {
  readonly against: Against;
}

/** The service as it ships first, then whom it is measured against. */
export const contestantsOf = (world: BenchWorld, match: Match): readonly [Joiner, Joiner] => [
  millrace(world, 'exactly-once', match),
  match.against === 'plain' ? plain(world, BASELINE_TOPIC) : millrace(world, match.against, match),
];
