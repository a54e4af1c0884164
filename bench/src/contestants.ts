/** Those who are measured: how each is started as a process of its own. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { topicsOf } from '@millrace/contracts';
import type { Child } from '@millrace/localstack';
import { fraud } from '@millrace/pipelines';
import { SERVICE_START } from '@millrace/runtime';
import { jobOf, writeJob } from './job.ts';
import { launch } from './launch.ts';
import type { BenchWorld } from './world/open.ts';

/** Whom the service as it ships is measured against: another program, or itself with the other way to deliver. */
export const AGAINST = ['plain', 'at-least-once'] as const;
export type Against = (typeof AGAINST)[number];

export interface Contestant {
  readonly name: string;
  readonly outTopic: string;
  /** The group of the next start, which has no members. */
  nextGroup(): string;
  /** The group of the start before. */
  group(): string;
  start(): Promise<Child>;
}

/** One that tells whether it has joined its group and would answer now. */
export interface Joiner extends Contestant {
  ready(): Promise<boolean>;
}

/** Where the plain baseline writes. */
export const BASELINE_TOPIC = 'bench.baseline-predictions.v1';

const ROOT = join(import.meta.dirname, '../..');

const saysReady = async (readyFile: string): Promise<boolean> => {
  if (!existsSync(readyFile)) return false;
  const { port } = JSON.parse(readFileSync(readyFile, 'utf8')) as { port?: number };
  if (port === undefined) return true;
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false; // it listens in a moment, or its end is noticed by whoever waits
  }
};

export interface MillraceOptions {
  readonly settings: Readonly<Record<string, string>>;
  /** A CPU profile is written there at each stop. */
  readonly profile?: string | undefined;
}

/** How a pipeline delivers is a line of its definition. */
export type Delivery = 'exactly-once' | 'at-least-once';

interface Entry {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** The service that ships; the other way to deliver is put into the pipeline's file as it is loaded. */
const shipped = (delivery: Delivery): Entry => {
  const main = join(ROOT, 'services/inference/src/main.ts');
  if (delivery === 'exactly-once') return { args: [main], environment: {} };
  return {
    args: ['--import', join(ROOT, 'test/mutants/register.ts'), main],
    environment: { MILLRACE_MUTANT: 'inference-at-least-once' },
  };
};

/** The same service with a pipeline that does not ship. */
const served = (delivery: Delivery): Entry => ({
  args: [join(import.meta.dirname, 'peers/serve.ts')],
  environment: { BENCH_DELIVERY: delivery },
});

/** The inference service: everything at its default, but for the settings given. */
export const millrace = (
  world: BenchWorld,
  delivery: Delivery,
  { settings, profile: profileDirectory }: MillraceOptions,
): Joiner => {
  const { pipeline } = world;
  const name = delivery === 'exactly-once' ? 'millrace' : 'at-least-once';
  const readyFile = join(world.directory, `${name}.ready.json`);
  const entry = pipeline.name === fraud.name ? shipped(delivery) : served(delivery);
  if (profileDirectory !== undefined) mkdirSync(profileDirectory, { recursive: true });
  const profile = profileDirectory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`];
  const environment = {
    ...SERVICE_START.environment,
    ...entry.environment,
    ...settings,
    MILLRACE_PIPELINES: pipeline.name,
    KAFKA_BOOTSTRAP_SERVERS: world.kafka,
    SCHEMA_REGISTRY_URL: world.registryUrl,
    MILLRACE_MODELS: dirname(dirname(world.modelFolder)),
    MILLRACE_READY_FILE: readyFile,
    HOST: '127.0.0.1',
    PORT: '0',
  };
  const group = (): string => `millrace.inference.${pipeline.name}`;
  return {
    name,
    // It takes leave when it stops, so that the group is free again.
    nextGroup: group,
    group,
    outTopic: topicsOf(pipeline).predictions,
    start: () => {
      rmSync(readyFile, { force: true });
      return launch(world, {
        name,
        command: process.execPath,
        args: [...SERVICE_START.args, ...profile, ...entry.args],
        environment,
      });
    },
    ready: () => saysReady(readyFile),
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
