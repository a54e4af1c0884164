import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import {
  type Clock,
  createTelemetry,
  type Logger,
  otelFromEnv,
  type Random,
  systemClock,
  systemRandom,
  type Telemetry,
} from '@millrace/telemetry';
import type { Component } from './component.ts';
import { type ConfigOf, numberField, optional, type Spec, textField, usual } from './config/field.ts';
import { ConfigError, configHelp, configPrint, readConfig } from './config/read.ts';
import { Readiness } from './readiness.ts';
import { type Running, startAll, STOP_DEADLINE_MS } from './start.ts';

/** Settings of every process, beside those of its service. */
const PROCESS_FIELDS = {
  logLevel: usual.logLevel,
  stopDeadlineMs: numberField({
    env: 'MILLRACE_STOP_DEADLINE_MS',
    help: 'Time to stop in good order, milliseconds; keep the grace period of the platform above it.',
    min: 100,
    max: 600_000,
    fallback: STOP_DEADLINE_MS,
  }),
  instance: optional(textField({ env: 'MILLRACE_INSTANCE', help: 'Tells instances of one service apart.' })),
  readyFile: optional(
    textField({
      env: 'MILLRACE_READY_FILE',
      help: 'File that is written once the process listens: its pid and port.',
    }),
  ),
} as const;

/** What a process hands to the parts it is made of. */
export interface ProcessContext<S extends Spec> {
  readonly config: ConfigOf<S> & ConfigOf<typeof PROCESS_FIELDS>;
  readonly telemetry: Telemetry;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  readonly instance: string;
  /** For the `httpServer` that answers `/readyz`. */
  readonly readiness: Readiness;
}

export interface ProcessOptions<S extends Spec> {
  /** Service name in logs, metrics and traces: `ingest`. */
  readonly name: string;
  readonly version: string;
  /** The service's own settings, beside those of every process. */
  readonly spec: S;
  /** Makes the parts, in the order in which they start. */
  readonly build: (context: ProcessContext<S>) => readonly Component[] | Promise<readonly Component[]>;
}

const EXIT = { done: 0, failed: 1, usage: 2 } as const;
/** Time past the deadline for what is left after the parts: traces and last words. */
const EXTRA_MS = 2_000;
const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;

/** `--config FILE` (or MILLRACE_CONFIG) is taken out first: the other settings are read from it. */
const splitArguments = (
  argv: readonly string[],
): { flags: string[]; wish: string | undefined; path: string | undefined } => {
  const flags: string[] = [];
  let path = process.env['MILLRACE_CONFIG'] || undefined;
  let wish: string | undefined;
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at]!;
    if (argument === '--help' || argument === '--print-config') wish = argument;
    else if (argument === '--config') path = argv[++at];
    else if (argument.startsWith('--config=')) path = argument.slice('--config='.length);
    else flags.push(argument);
  }
  return { flags, wish, path };
};

const say = (to: 'stdout' | 'stderr', text: string): void => void process[to].write(`${text}\n`);

/** The settings, or undefined when the process has said what was asked, or what was wrong. */
const settle = <S extends Spec>(spec: S): ConfigOf<S> | undefined => {
  const { flags, wish, path } = splitArguments(process.argv.slice(2));
  if (wish === '--help') {
    say(
      'stdout',
      `Settings, each as flag, variable or name in the file of --config (MILLRACE_CONFIG):\n${configHelp(spec)}`,
    );
    return undefined;
  }
  try {
    const readText = (from: string): string => readFileSync(from, 'utf8');
    let file: string | undefined;
    try {
      file = path === undefined ? undefined : readText(path);
    } catch (error) {
      throw new ConfigError([
        `--config names a file that cannot be read (${(error as { code?: string }).code ?? 'error'})`,
      ]);
    }
    const config = readConfig(spec, {
      flags,
      env: process.env,
      readText,
      ...(file === undefined ? {} : { file }),
    });
    if (wish === undefined) return config;
    say('stdout', JSON.stringify(configPrint(spec, config), null, 2));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    say('stderr', [`${error.message}:`, ...error.mistakes.map(mistake => `  - ${mistake}`)].join('\n'));
    process.exitCode = EXIT.usage;
  }
  return undefined;
};

/** Settles when the process shall end: undefined after a signal, else the reason of the failure. */
const untilEnd = (
  running: Promise<Running>,
  abort: AbortController,
): Promise<{ reason: unknown } | undefined> =>
  new Promise(resolve => {
    for (const [signal, number] of Object.entries(SIGNALS))
      process.on(signal, () => {
        // A second signal means: now.
        if (abort.signal.aborted) process.exit(128 + number);
        abort.abort(new Error(`stopped by ${signal}`));
        resolve(undefined);
      });
    const fail = (reason: unknown): void => resolve({ reason });
    process.on('unhandledRejection', fail);
    process.on('uncaughtException', fail);
    running
      .then(({ failed }) => failed)
      .catch((reason: unknown) => {
        if (!abort.signal.aborted) fail(reason);
      });
  });

/**
 * The life of a service process: reads its settings, starts its parts, waits for SIGTERM or SIGINT, stops the parts in
 * reverse within the deadline. Ends with 0 after a clean stop, 1 after a failure (its reason logged once), 2 when the
 * settings are wrong. `--help` and `--print-config` answer and end.
 */
export const runProcess = async <S extends Spec>(options: ProcessOptions<S>): Promise<void> => {
  const { name, version, build } = options;
  const spec = { ...PROCESS_FIELDS, ...options.spec };
  const config = settle(spec) as ProcessContext<S>['config'] | undefined;
  if (config === undefined) return;
  const { logLevel, stopDeadlineMs } = config as ConfigOf<typeof PROCESS_FIELDS>;
  const instance = (config as ConfigOf<typeof PROCESS_FIELDS>).instance ?? `${hostname()}-${process.pid}`;
  const telemetry = createTelemetry({
    service: name,
    version,
    instance,
    logLevel,
    otel: otelFromEnv(process.env),
  });
  const { logger } = telemetry;
  // Node prints a text beside our lines, and where the disk behind it is full that ends the process.
  process.removeAllListeners('warning');
  process.on('warning', ({ name: warning, message: error }) =>
    logger.warn({ warning, error }, 'a warning of Node'),
  );
  const readiness = new Readiness();
  const abort = new AbortController();

  const start = async (): Promise<Running> => {
    const given = { config, telemetry, logger, readiness, instance };
    const parts = await build({ ...given, clock: systemClock, random: systemRandom });
    return startAll(parts, abort.signal, { logger, readiness });
  };
  const running = start();
  const end = await untilEnd(running, abort);
  if (end === undefined) logger.info({ stopDeadlineMs }, 'stopping');
  else logger.error({ err: end.reason }, 'failed');
  abort.abort(new Error('stopping'));
  // A part that hangs in its start cannot be stopped; it does not keep the process either.
  setTimeout(() => process.exit(EXIT.failed), stopDeadlineMs + EXTRA_MS);
  let code: number = end === undefined ? EXIT.done : EXIT.failed;
  try {
    await (await running.catch(() => undefined))?.stop(stopDeadlineMs);
  } catch {
    // Each part that failed to stop has been logged by its name.
    code = EXIT.failed;
  }
  await telemetry.stop();
  if (code === EXIT.done) logger.info({}, 'stopped');
  // Whatever a part has left open must not keep the process alive past its stop.
  process.exit(code);
};
