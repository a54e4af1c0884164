/** Those who are measured: how each is started as a process of its own. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { topicsOf } from '@millrace/contracts';
import { type Child, startGuarded } from '@millrace/localstack';
import { fraud } from '@millrace/pipelines';
import { SERVICE_START } from '@millrace/runtime';
import { BASELINE_TOPIC, type BenchWorld, MODEL_VERSION, MODELS_FOLDER } from './world/open.ts';

/** Whom the service as it ships is measured against: another program, or itself with the other way to deliver. */
export const AGAINST = ['plain', 'at-least-once'] as const;
export type Against = (typeof AGAINST)[number];
export type ContestantName = 'millrace' | Against;

export interface Contestant {
  readonly name: ContestantName;
  readonly outTopic: string;
  /** The group of the next start, which has no members. */
  nextGroup(): string;
  /** The group of the start before. */
  group(): string;
  start(): Promise<Child>;
  /** Whether it has joined its group and would answer now. */
  ready(): Promise<boolean>;
}

const ROOT = join(import.meta.dirname, '../..');
const STOP_GRACE_S = 15;
const TOKEN = 'millrace-bench';

interface Launch {
  readonly name: ContestantName;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly readyFile: string;
}

const launch = (world: BenchWorld, { name, args, environment, readyFile }: Launch): Promise<Child> => {
  rmSync(readyFile, { force: true });
  return startGuarded({
    name,
    command: process.execPath,
    args,
    logFile: join(world.directory, `${name}.log`),
    workingDirectory: world.directory,
    environment: { PATH: process.env['PATH'], ...environment },
    stopSignal: 'TERM',
    stopGraceS: STOP_GRACE_S,
    token: TOKEN,
  });
};

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

/** How a pipeline delivers is a line of its definition, which is replaced as the file is loaded. */
const AT_LEAST_ONCE = {
  args: ['--import', join(ROOT, 'test/mutants/register.ts')],
  environment: { MILLRACE_MUTANT: 'inference-at-least-once' },
} as const;
const AS_IT_SHIPS = { args: [], environment: {} } as const;

/** The inference service as it ships, or at least once: everything at its default, but for the settings given. */
const millrace = (
  world: BenchWorld,
  name: 'millrace' | 'at-least-once',
  { settings, profile: profileDirectory }: MillraceOptions,
): Contestant => {
  const readyFile = join(world.directory, `${name}.ready.json`);
  const delivery = name === 'millrace' ? AS_IT_SHIPS : AT_LEAST_ONCE;
  if (profileDirectory !== undefined) mkdirSync(profileDirectory, { recursive: true });
  const profile = profileDirectory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`];
  const environment = {
    ...SERVICE_START.environment,
    ...delivery.environment,
    ...settings,
    MILLRACE_PIPELINES: fraud.name,
    KAFKA_BOOTSTRAP_SERVERS: world.kafka,
    SCHEMA_REGISTRY_URL: world.registryUrl,
    MILLRACE_MODELS: MODELS_FOLDER,
    MILLRACE_READY_FILE: readyFile,
    HOST: '127.0.0.1',
    PORT: '0',
  };
  const args = [
    ...SERVICE_START.args,
    ...profile,
    ...delivery.args,
    join(ROOT, 'services/inference/src/main.ts'),
  ];
  const group = (): string => `millrace.inference.${fraud.name}`;
  return {
    name,
    // It takes leave when it stops, so that the group is free again.
    nextGroup: group,
    group,
    outTopic: topicsOf(fraud).predictions,
    start: () => launch(world, { name, args, environment, readyFile }),
    ready: () => saysReady(readyFile),
  };
};

/** kafkajs, avsc and ONNX Runtime, put together in the plainest way. */
const plain = (world: BenchWorld, model: string): Contestant => {
  const readyFile = join(world.directory, 'plain.ready.json');
  // It is killed and remains a member for a while, as kafkajs has it: each start has a group of its own.
  let starts = 0;
  const groupNow = (): string => `bench.plain.${starts}`;
  const settings = () => ({
    bootstrap: world.kafka,
    group: groupNow(),
    model: join(MODELS_FOLDER, model, MODEL_VERSION),
    out: BASELINE_TOPIC,
    'schema-id': String(world.predictionSchemaId),
    'ready-file': readyFile,
  });
  const args = () => [
    join(import.meta.dirname, 'baseline/main.ts'),
    ...Object.entries(settings()).map(([name, value]) => `--${name}=${value}`),
  ];
  return {
    name: 'plain',
    outTopic: BASELINE_TOPIC,
    nextGroup: () => {
      starts++;
      return groupNow();
    },
    group: groupNow,
    start: () => launch(world, { name: 'plain', args: args(), readyFile }),
    ready: () => saysReady(readyFile),
  };
};

export interface Match extends MillraceOptions {
  readonly model: string;
  readonly against: Against;
}

/** The service as it ships first, then whom it is measured against. */
export const contestantsOf = (world: BenchWorld, match: Match): readonly [Contestant, Contestant] => [
  millrace(world, 'millrace', match),
  match.against === 'plain' ? plain(world, match.model) : millrace(world, match.against, match),
];
