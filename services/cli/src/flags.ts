/** Flags that several commands have, and how their values are checked. */
import { isRunId } from '@millrace/contracts';
import { parseDuration } from '@millrace/define';
import { GPU_PROVIDERS } from '@millrace/inference';
import { fraud } from '@millrace/pipelines';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { type ExitCode, UsageError } from './io.ts';
import { defaultDirectory } from './world/addresses.ts';
import { SECURITY_FLAGS } from './world/security.ts';

export const positive = (text: string): number => {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('a number above zero is needed');
  return value;
};
export const notNegative = (text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0))
    throw new InvalidArgumentError('a number not below zero is needed');
  return value;
};
export const whole = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('a whole number is needed');
  return value;
};
/** Milliseconds of a duration above zero. */
export const duration = (text: string): number => {
  const ms = parseDuration(text);
  if (ms === undefined || ms === 0)
    throw new InvalidArgumentError('a duration above zero is needed, like 30s, 15m, 12h or 7d');
  return ms;
};
export const output = (help = 'how results are printed'): Option =>
  new Option('--output <form>', help).choices(['table', 'json']).default('table');
export const directory = (): Option =>
  new Option('--directory <folder>', 'folder of the local stack').default(
    defaultDirectory(),
    'a folder of yours under the temporary folder',
  );
export const gpuOption = (): Option =>
  new Option(
    '--gpu <provider>',
    'open models on the GPU too, for rows whose rule asks for engine gpu',
  ).choices([...GPU_PROVIDERS]);
export const pipelineOption = (): Option =>
  new Option('--pipeline <name>', 'which pipeline').default(fraud.name);

/** Commands that talk to a running world take its addresses, and how it is spoken to. */
export const talks = (command: Command): Command => {
  command
    .option('--bootstrap-server <list>', 'brokers, host:port,… (KAFKA_BOOTSTRAP_SERVERS)')
    .option('--registry <url>', 'schema registry (SCHEMA_REGISTRY_URL)')
    .option(
      '--config <file>',
      'TLS and credentials as YAML; each also as variable or flag (docs/SECURITY.md)',
    )
    .addOption(directory());
  for (const { flag, help } of SECURITY_FLAGS)
    command.addOption(new Option(`${flag} <value>`, help).hideHelp());
  return command;
};

/** Takes the exit code of a command's work. */
export type Done = (work: Promise<ExitCode> | ExitCode) => Promise<void>;

/** Milliseconds since the epoch of a time as people write it. @throws UsageError where it is none */
export const timeOf = (option: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new UsageError(`--${option}: '${text}' is no time; write it like 2026-08-14`);
  return ms;
};

/** @throws UsageError where it cannot be the id of a run */
export const runIdFrom = (text: string): string => {
  if (isRunId(text)) return text;
  throw new UsageError(
    `--run: '${text}' cannot be the id of a run: letters, digits, and . _ - between them, and not live, deferred or schedule`,
  );
};
