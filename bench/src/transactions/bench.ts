/**
 * `bench transactions`: what makes transactions cheap, each taken away in turn. Six tasks on one broker, then on three; a
 * transaction carries 60 records to three partitions, and one offset. The variants take turns within each round; what is
 * taken out is replaced in the sources as they are loaded (`test/mutants`).
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startStack } from '@millrace/localstack';
import { kafkaBroker } from '@millrace/stream';
import { noLogger, systemClock } from '@millrace/telemetry';
import { median } from '../figures.ts';
import { cpuSecondsOf } from '../linux/usage.ts';
import { PARTITIONS, TOPICS } from './topics.ts';

interface Measured {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Of the client, for each transaction. */
  readonly cpuMs: number;
  /** Of all brokers, for each transaction. */
  readonly brokerCpuMs: number;
}

const VARIANTS = [
  { name: 'as it is', inFlight: 6 },
  { name: 'coordinators looked up for each request', inFlight: 6, mutant: 'looks-up-each-time' },
  { name: 'waits for markers begin at 50 ms', inFlight: 6, mutant: 'waits-long-for-markers' },
  { name: 'offsets sent behind the records', inFlight: 6, offsets: 'behind' },
  { name: 'one task at a time', inFlight: 1 },
] as const;
type Variant = (typeof VARIANTS)[number];

const REGISTER = join(import.meta.dirname, '../../../test/mutants/register.ts');
const ONCE = join(import.meta.dirname, 'once.ts');
const run = promisify(execFile);

export interface TransactionsOptions {
  readonly seconds: number;
  readonly rounds: number;
  readonly say: (line: string) => void;
}

const once = async (
  kafka: string,
  pids: readonly number[],
  variant: Variant,
  seconds: number,
): Promise<Measured> => {
  const { inFlight } = variant;
  const mutant = 'mutant' in variant ? variant.mutant : undefined;
  const planted = mutant === undefined ? [] : ['--import', REGISTER];
  const brokersCpu = (): number => pids.reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);
  const before = brokersCpu();
  const offsets = 'offsets' in variant ? variant.offsets : 'beside';
  const given = [kafka, String(seconds), String(inFlight), offsets];
  const { stdout } = await run(process.execPath, [...planted, ONCE, ...given], {
    env: { ...process.env, ...(mutant === undefined ? {} : { MILLRACE_MUTANT: mutant }) },
  });
  const measured = JSON.parse(stdout) as Omit<Measured, 'brokerCpuMs'>;
  // Warm-up and start are in it for every variant alike.
  const all = measured.perSecond * seconds;
  return { ...measured, brokerCpuMs: ((brokersCpu() - before) * 1_000) / all };
};

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const measure = async (
  brokers: 1 | 3,
  { seconds, rounds, say }: TransactionsOptions,
): Promise<readonly string[]> => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-transactions-'));
  const stack = await startStack({
    ways: ['jvm'], parts: ['kafka'], brokers, directory, environment: process.env, tuning: 'runsFast',
    onProgress: text => say(`  ${text}`),
  }); // prettier-ignore
  try {
    const options = {
      bootstrapServers: stack.kafka,
      clientId: 'bench',
      logger: noLogger,
      clock: systemClock,
    };
    const broker = kafkaBroker(options);
    await broker.admin.createTopics(TOPICS.map(name => ({ name, partitions: PARTITIONS, config: {} })));
    await broker.close();
    const pids = Object.entries(stack.pids).flatMap(([name, pid]) => (name.startsWith('kafka') ? [pid] : []));
    const found = VARIANTS.map(variant => ({ variant, measured: [] as Measured[] }));
    // The first round warms the brokers.
    for (let round = 0; round <= rounds; round++)
      for (const { variant, measured } of found) {
        const one = await once(stack.kafka, pids, variant, seconds);
        if (round > 0) measured.push(one);
      }
    return found.map(({ variant, measured }) => {
      const of = (figure: keyof Measured): string => median(measured.map(one => one[figure])).toFixed(1);
      const figures = [of('perSecond'), of('p50'), of('p99'), of('cpuMs'), of('brokerCpuMs')];
      return line([variant.name, String(brokers), ...figures]);
    });
  } finally {
    await stack.stop();
    rmSync(directory, { recursive: true });
  }
};

/** A table in Markdown, as lines. */
export const benchTransactions = async (options: TransactionsOptions): Promise<readonly string[]> => [
  line(['Transactions', 'Brokers', 'a second', 'p50, ms', 'p99, ms', 'CPU ms', 'CPU ms of brokers']),
  line(['---', '--:', '--:', '--:', '--:', '--:', '--:']),
  ...(await measure(1, options)),
  ...(await measure(3, options)),
];
