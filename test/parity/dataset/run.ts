/** Training rows of a run: exported by the command line, again, and judged by pandas. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fraud } from '@millrace/pipelines';
import { DATASET_MUTANTS } from '../../mutants/dataset.ts';
import type { ParityOptions } from '../run.ts';
import { findPandas, type Judged, judgeDataset, MISTAKES } from './judge.ts';

const ROOT = join(import.meta.dirname, '../../..');
const COMMAND = join(ROOT, 'services/cli/src/main.ts');
const REGISTER = join(ROOT, 'test/mutants/register.ts');
const EXPORT_MS_MAX = 300_000;

export interface DatasetResult {
  /** SHA-256 of the file: of the first export, of the same command again, of its manifest again, of one fold over the events. */
  readonly digests: {
    readonly first: string;
    readonly again: string;
    readonly like: string;
    readonly recomputed: string;
  };
  readonly judged: Judged;
  /** Values and rows that differ with each mistake of the judge and each mutant of the export; null where not asked for. */
  readonly reds: Readonly<Record<string, number>> | null;
}

const fileOf = ({ directory }: ParityOptions, name: string): string => join(directory, `${name}.parquet`);

/** Where what was published is written down. */
export const inputsFile = ({ directory }: Pick<ParityOptions, 'directory'>): string =>
  join(directory, 'published.jsonl');

/**
 * `millrace dataset export` as a process of its own. Labels count that were known when the last day began.
 * @returns the file's digest
 */
const exported = async (
  options: ParityOptions,
  name: string,
  flags: readonly string[],
  mutant?: string,
): Promise<string> => {
  const { addresses, environment, days, signal } = options;
  const out = fileOf(options, name);
  const args = [
    ...(mutant === undefined ? [] : ['--import', REGISTER]), COMMAND, 'dataset', 'export', '--pipeline', fraud.name,
    '--from', days.from, '--to', days.to, '--as-of', days.to, '--out', out, ...flags,
  ]; // prettier-ignore
  await promisify(execFile)(process.execPath, args, {
    env: {
      ...environment,
      KAFKA_BOOTSTRAP_SERVERS: addresses.kafka,
      SCHEMA_REGISTRY_URL: addresses.registry,
      ...(mutant !== undefined && { MILLRACE_MUTANT: mutant }),
    },
    timeout: EXPORT_MS_MAX,
    signal,
  });
  return createHash('sha256').update(readFileSync(out)).digest('hex');
};

const RECOMPUTED = ['--source', 'recomputed'];

const countOf = ({ mismatches, missing, extra }: Judged): number => mismatches + missing + extra;

const redsOf = async (
  options: ParityOptions,
  python: string,
  { mistakes }: Judged,
): Promise<Record<string, number>> => {
  const reds = Object.fromEntries(
    Object.entries(mistakes).map(([name, columns]) => [
      name,
      Object.values(columns).reduce((a, b) => a + b, 0),
    ]),
  );
  for (const { name } of DATASET_MUTANTS) {
    await exported(options, name, RECOMPUTED, name);
    reds[name] = countOf(await judgeDataset(python, fileOf(options, name), inputsFile(options)));
  }
  return reds;
};

/** @throws Error where there is no pandas */
export const judgeRows = async (options: ParityOptions): Promise<DatasetResult> => {
  const python = await findPandas();
  if ('missing' in python) throw new Error(`no judge of datasets: ${python.missing}`);
  options.say('Exporting the rows of these days, and again; pandas computes them from what was published.');
  const first = await exported(options, 'first', []);
  const digests = {
    first,
    again: await exported(options, 'again', []),
    like: await exported(options, 'like', ['--like', `${fileOf(options, 'first')}.manifest.json`]),
    recomputed: await exported(options, 'recomputed', RECOMPUTED),
  };
  const mistakes = options.reds ? MISTAKES : [];
  const judged = await judgeDataset(python.path, fileOf(options, 'first'), inputsFile(options), mistakes);
  return { digests, judged, reds: options.reds ? await redsOf(options, python.path, judged) : null };
};
