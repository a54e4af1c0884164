/** `millrace batch run` as a process of its own: how far it is, what it costs, what it says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nightGroup, topicsOf } from '@millrace/contracts';
import { startGuarded } from '@millrace/localstack';
import { credit, MODELS_FOLDER } from '@millrace/pipelines';
import { cpuSecondsOf } from '../linux/usage.ts';
import type { BenchWorld } from '../world/open.ts';
import { sumOf } from '../world/offsets.ts';

const MAIN = join(import.meta.dirname, '../../../services/cli/src/main.ts');
const STOP_GRACE_S = 15;
const POLL_MS = 50;
const BEGIN_MS_MAX = 120_000;

export interface Night {
  readonly run: string;
  /** Vectors whose answers are committed. */
  scored(): Promise<number>;
  cpuSeconds(): number;
  isOver(): boolean;
  /** Exit code. */
  readonly ended: Promise<number>;
  stop(): Promise<void>;
  /** Lines of its log since it began. */
  said(): readonly string[];
}

/** Resolves once its first answers are committed. */
export const startNight = async (world: BenchWorld, run: string): Promise<Night> => {
  const { broker, clock, signal, directory, kafka, registryUrl } = world;
  const logFile = join(directory, `${run}.log`);
  const child = await startGuarded({
    name: run,
    command: process.execPath,
    args: [MAIN, 'batch', 'run', '--pipeline', credit.name, '--run', run, '--models', MODELS_FOLDER, '--output', 'json'],
    logFile,
    workingDirectory: directory,
    environment: { PATH: process.env['PATH'], KAFKA_BOOTSTRAP_SERVERS: kafka, SCHEMA_REGISTRY_URL: registryUrl },
    stopSignal: 'TERM',
    stopGraceS: STOP_GRACE_S,
    token: 'millrace-bench',
  }); // prettier-ignore
  let over = false;
  let cpuS = 0;
  void child.ended.then(() => (over = true));
  const scored = async (): Promise<number> =>
    sumOf(await broker.admin.committed(nightGroup(credit, run), [topicsOf(credit).features]));
  const before = await scored();
  const endMs = clock.now() + BEGIN_MS_MAX;
  while ((await scored()) === before) {
    if (over) throw new Error(`the night ended before it scored anything; its log: ${logFile}`);
    if (clock.now() > endMs) throw new Error(`the night has scored nothing within ${BEGIN_MS_MAX} ms; its log: ${logFile}`); // prettier-ignore
    await clock.sleep(POLL_MS, signal);
  }
  return {
    run,
    scored,
    // Its last figure stands where it has ended.
    cpuSeconds: () => (over ? cpuS : (cpuS = cpuSecondsOf(child.pid))),
    isOver: () => over,
    ended: child.ended,
    stop: () => child.stop(),
    said: () => readFileSync(logFile, 'utf8').trimEnd().split('\n'),
  };
};
