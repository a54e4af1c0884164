/**
 * `bench epochs`: how long a payment waits for its vector by the width of the epochs, beside a pipeline of one key, which
 * needs none. Payments at a steady rate; the contestants take turns, each with a fresh process in every round.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { confluentRegistry } from '@millrace/avro';
import { applySchemas, catalogue, schemaPlan } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { type Child, startGuarded, startStack } from '@millrace/localstack';
import { kafkaBroker } from '@millrace/stream';
import { noLogger, systemClock } from '@millrace/telemetry';
import { median, type Percentiles, percentilesOf } from '../figures.ts';
import { cpuSecondsOf } from '../linux/usage.ts';
import { type BenchTown, followVectors, Load } from './load.ts';
import { CONTESTANTS } from './pipelines.ts';

export interface EpochsOptions {
  readonly recordsPerSecond: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

interface Measured extends Percentiles {
  readonly cores: number;
}

/** The rate runs that long before anything counts. */
const WARM_UP_S = 5;
/** Longest wait for a process and its first vectors. */
const START_MS_MAX = 120_000;
/** Longest wait for the last vectors. */
const REST_MS_MAX = 60_000;
const POLL_MS = 50;
const STOP_GRACE_S = 15;

interface Setting {
  readonly town: BenchTown;
  readonly options: EpochsOptions;
  readonly directory: string;
  readonly addresses: { readonly kafka: string; readonly registry: string };
}

const until = async ({ clock, signal }: BenchTown, limitMs: number, what: string, isSo: () => boolean) => {
  const endMs = clock.now() + limitMs;
  while (!isSo()) {
    if (clock.now() > endMs) throw new Error(`${what}: not within ${limitMs / 1000} s`);
    await clock.sleep(POLL_MS, signal);
  }
};

const start = ({ directory, addresses }: Setting, { name }: Pipeline): Promise<Child> =>
  startGuarded({
    name,
    command: process.execPath,
    args: [join(import.meta.dirname, 'serve.ts')],
    logFile: join(directory, `${name}.log`),
    workingDirectory: directory,
    environment: {
      PATH: process.env['PATH'], KAFKA_BOOTSTRAP_SERVERS: addresses.kafka, SCHEMA_REGISTRY_URL: addresses.registry,
      MILLRACE_PIPELINES: name,
    },
    stopSignal: 'TERM',
    stopGraceS: STOP_GRACE_S,
    token: 'millrace-bench',
  }); // prettier-ignore

const once = async (setting: Setting, pipeline: Pipeline, load: Load): Promise<Measured> => {
  const { town, options } = setting;
  const { recordsPerSecond, seconds } = options;
  const over = new AbortController();
  const waits: number[] = [];
  let countFromMs = Infinity;
  let seen = 0;
  const child = await start(setting, pipeline);
  try {
    const reading = followVectors(
      town,
      pipeline,
      (waitMs, appendTimeMs) => {
        seen++;
        if (appendTimeMs >= countFromMs) waits.push(waitMs);
      },
      AbortSignal.any([over.signal, town.signal]),
    );
    let sent = await load.send(recordsPerSecond, WARM_UP_S);
    // The process starts meanwhile.
    await until(
      town,
      START_MS_MAX,
      `first vectors of ${pipeline.name} (log: ${child.logFile})`,
      () => seen >= sent,
    );
    countFromMs = town.clock.now();
    const cpuBefore = cpuSecondsOf(child.pid);
    sent += await load.send(recordsPerSecond, seconds);
    const cores = (cpuSecondsOf(child.pid) - cpuBefore) / seconds;
    await until(town, REST_MS_MAX, `vectors of ${pipeline.name}`, () => seen >= sent);
    over.abort();
    await reading;
    return { ...percentilesOf(Float64Array.from(waits)), cores };
  } finally {
    over.abort();
    await child.stop();
  }
};

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const tableOf = (found: ReadonlyMap<string, readonly Measured[]>): readonly string[] => {
  const of = (name: string, figure: keyof Measured): number =>
    median(found.get(name)!.map(one => one[figure]));
  const none = of(CONTESTANTS[0]!.name, 'p50');
  return [
    line(['Epochs', 'p50, ms', 'p95, ms', 'p99, ms', 'p50 added, ms', 'cores']),
    line(['---', '--:', '--:', '--:', '--:', '--:']),
    ...CONTESTANTS.map(({ name }, i) =>
      line([
        i === 0 ? 'none (one key)' : `${name.split('-')[1]} ms`,
        ...(['p50', 'p95', 'p99'] as const).map(figure => of(name, figure).toFixed(0)),
        i === 0 ? '' : (of(name, 'p50') - none).toFixed(0),
        of(name, 'cores').toFixed(2),
      ]),
    ),
  ];
};

/** A table in Markdown, as lines. */
export const benchEpochs = async (options: EpochsOptions): Promise<readonly string[]> => {
  const { rounds, signal, say } = options;
  const directory = mkdtempSync(join(tmpdir(), 'millrace-epochs-'));
  const stack = await startStack({
    ways: ['jvm'], parts: ['kafka', 'registry'], directory, environment: process.env, tuning: 'runsFast',
    onProgress: text => say(`  ${text}`),
  }); // prettier-ignore
  const clock = systemClock;
  const broker = kafkaBroker({ bootstrapServers: stack.kafka, clientId: 'bench', logger: noLogger, clock });
  try {
    const registry = confluentRegistry({ url: stack.registry, clock });
    const topics = catalogue(CONTESTANTS);
    await broker.admin.createTopics(
      topics.map(({ name, partitions, config }) => ({ name, partitions, config })),
    );
    await applySchemas(registry, await schemaPlan(registry, topics));
    const town: BenchTown = { broker, registry, clock, signal };
    const setting: Setting = { town, options, directory, addresses: stack };
    const loads = new Map<string, Load>();
    for (const pipeline of CONTESTANTS) loads.set(pipeline.name, await Load.open(town, pipeline));
    const found = new Map(CONTESTANTS.map(({ name }) => [name, [] as Measured[]]));
    for (let round = 1; round <= rounds; round++)
      for (const pipeline of CONTESTANTS) {
        const one = await once(setting, pipeline, loads.get(pipeline.name)!);
        found.get(pipeline.name)!.push(one);
        say(
          `${pipeline.name}, round ${round}: p50 ${one.p50} ms, p95 ${one.p95} ms, p99 ${one.p99} ms, ${one.cores.toFixed(2)} cores`,
        );
      }
    return tableOf(found);
  } finally {
    await broker.close();
    await stack.stop();
    rmSync(directory, { recursive: true });
  }
};
