/** `millrace batch schedule`: a process that runs the nights of pipelines at their times, and shows how it goes. */
import { hostname } from 'node:os';
import { checkPipeline, type Pipeline } from '@millrace/define';
import { nightScheduler, runNight, type ScheduledPipeline } from '@millrace/inference';
import { MODELS_FOLDER, pipelines } from '@millrace/pipelines';
import { type Component, httpServer, Readiness, startAll, STOP_DEADLINE_MS } from '@millrace/runtime';
import { createTelemetry, LOG_LEVELS, otelFromEnv, systemRandom, type Telemetry } from '@millrace/telemetry';
import type { Command } from 'commander';
import { type Done, gpuOption, positive, talks, whole } from '../flags.ts';
import { EXIT, type ExitCode, type Io, UsageError } from '../io.ts';
import { type AddressFlags, findAddresses } from '../world/addresses.ts';
import { openWorld } from '../world/open.ts';
import type { World } from '../world/prepare.ts';

export interface ScheduleFlags extends AddressFlags {
  /** Default: every pipeline that has a schedule. */
  readonly pipeline: readonly string[] | undefined;
  /** Instead of those of the definition. */
  readonly cron: string | undefined;
  readonly timeZone: string | undefined;
  readonly models: string;
  /** Execution provider of the GPU that rules may choose. */
  readonly gpu: string | undefined;
  readonly yieldLag: number;
  readonly yieldMinutes: number;
  readonly by: string;
  readonly host: string | undefined;
  readonly port: number | undefined;
}

const VERSION = '0.1.0';
const PORT = 8080;
const MINUTE_MS = 60_000;
const TELL_EVERY_MS = MINUTE_MS;

const isScheduled = (pipeline: Pipeline): pipeline is ScheduledPipeline => pipeline.night !== undefined;

/** @throws UsageError where a pipeline is unknown, or has no schedule, or the times of the flags cannot stand */
export const scheduledPipelines = (
  { pipeline: names, cron, timeZone }: Pick<ScheduleFlags, 'pipeline' | 'cron' | 'timeZone'>,
  among: readonly Pipeline[] = pipelines,
): readonly ScheduledPipeline[] => {
  const scheduled = among.filter(isScheduled);
  const known = `there are: ${scheduled.map(({ name }) => name).join(', ') || 'none'}`;
  const chosen = (names ?? scheduled.map(({ name }) => name)).map(name => {
    const found = scheduled.find(one => one.name === name);
    if (found === undefined)
      throw new UsageError(`--pipeline: no pipeline '${name}' has a schedule (night, in its definition); ${known}`);
    return found;
  });
  if (chosen.length === 0) throw new UsageError('no pipeline has a schedule (night, in its definition)');
  if (cron === undefined && timeZone === undefined) return chosen;
  const [one, ...others] = chosen;
  if (others.length > 0) throw new UsageError('--cron and --time-zone are of one pipeline: name it with --pipeline');
  const night = { ...one!.night, ...(cron !== undefined && { cron }), ...(timeZone !== undefined && { timeZone }) };
  const mistakes = checkPipeline({ ...one!, night }).filter(mistake => mistake.startsWith('night.'));
  if (mistakes.length > 0) throw new UsageError(`the schedule cannot stand:\n- ${mistakes.join('\n- ')}`);
  return [{ ...one!, night }];
}; // prettier-ignore

const portOf = ({ port }: ScheduleFlags, { environment }: Io): number =>
  port ?? whole(environment['PORT'] || String(PORT));

const nightsOf =
  (world: World, flags: ScheduleFlags, { logger, metrics }: Pick<Telemetry, 'logger' | 'metrics'>) =>
  async (pipeline: ScheduledPipeline, run: string, signal: AbortSignal): Promise<void> => {
    const { clock } = world;
    let toldMs = clock.now();
    await runNight({
      ...world,
      pipeline,
      yieldsTo: pipelines,
      models: flags.models,
      ...(flags.gpu !== undefined && { gpu: flags.gpu }),
      run,
      asOfMs: undefined,
      by: flags.by,
      lagMax: flags.yieldLag,
      waitMsTotalMax: flags.yieldMinutes * MINUTE_MS,
      random: systemRandom,
      metrics,
      tell: line => logger.info({ run }, line),
      progressed: ({ done, total }) => {
        if (clock.now() - toldMs < TELL_EVERY_MS) return;
        toldMs = clock.now();
        logger.info({ run, done, total }, 'scored so far');
      },
      signal,
    });
  };

/** Resolves when somebody stops us, rejects when a part has failed. */
const untilStopped = (signal: AbortSignal, failed: Promise<never>): Promise<void> =>
  Promise.race([
    failed,
    new Promise<void>(resolve => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    }),
  ]);

/** Runs until it is stopped, which is no failure. A night that is at work then is gone on with by the next scheduler. */
export const batchSchedule = async (io: Io, flags: ScheduleFlags): Promise<ExitCode> => {
  const scheduled = scheduledPipelines(flags);
  const addresses = await findAddresses(io, flags);
  const { environment, signal } = io;
  const telemetry = createTelemetry({
    service: 'schedule',
    version: VERSION,
    instance: hostname(),
    logLevel: LOG_LEVELS.find(level => level === environment['LOG_LEVEL']) ?? 'info',
    otel: otelFromEnv(environment),
    writeLog: line => io.out(line.trimEnd()),
  });
  const { logger, metrics } = telemetry;
  const world = openWorld(addresses, logger);
  const readiness = new Readiness();
  const parts: readonly Component[] = [
    httpServer({
      host: flags.host ?? (environment['HOST'] || '0.0.0.0'),
      port: portOf(flags, io),
      readiness,
      metrics,
      logger,
      readyFile: environment['MILLRACE_READY_FILE'],
    }),
    nightScheduler({ ...world, pipelines: scheduled, night: nightsOf(world, flags, telemetry), by: flags.by, metrics, logger }),
  ];
  try {
    const running = await startAll(parts, signal, { logger, readiness });
    try {
      await untilStopped(signal, running.failed);
    } finally {
      await running.stop(STOP_DEADLINE_MS);
    }
    return EXIT.done;
  } catch (error) {
    if (signal.aborted) return EXIT.done;
    logger.error({ err: error }, 'failed');
    throw error;
  } finally {
    await world.broker.close();
    await telemetry.stop();
  }
}; // prettier-ignore

/** `millrace batch schedule`. */
export const scheduleCommand = (batch: Command, io: Io, done: Done): void => {
  talks(batch.command('schedule').description('run the nights of pipelines at the times of their definitions, until it is stopped; metrics over HTTP'))
    .option('--pipeline <name...>', 'which pipelines; default: all that have a schedule')
    .option('--cron <expression>', 'other times than the definition says, of one pipeline')
    .option('--time-zone <zone>', 'in which they are read')
    .option('--models <folder>', 'model store', MODELS_FOLDER)
    .addOption(gpuOption())
    .option('--yield-lag <records>', 'records that live scoring may be behind before a night waits', whole, 1_000)
    .option('--yield-minutes <n>', 'longest wait of a night for live scoring, in all', positive, 120)
    .option('--by <who>', 'who stands in the records of the runs', 'schedule')
    .option('--host <address>', 'address to listen on (HOST); default: all')
    .option('--port <n>', 'port for /metrics, /livez, /readyz (PORT); 0 takes a free one; default: 8080', whole)
    .action((flags: ScheduleFlags) => done(batchSchedule(io, flags)));
}; // prettier-ignore
