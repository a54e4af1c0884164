/** The flags that say what is wished for, and the coefficients that are taken. */
import { readFile } from 'node:fs/promises';
import { parseDuration } from '@millrace/define';
import { COMMIT_INTERVAL_MS } from '@millrace/inference';
import { pipelinesNamed } from '@millrace/pipelines';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Coefficients, coefficientsFor, parseCoefficients } from '../../capacity/coefficients.ts';
import { type Delivery, labelStreams, type Planned, PLANNED, type Wish } from '../../capacity/wish.ts';
import { notNegative, output, pipelineOption, positive, whole } from '../../flags.ts';
import { type OutputForm, UsageError } from '../../io.ts';

export interface WishFlags {
  readonly pipeline: string;
  readonly services: readonly Planned[];
  readonly rate: number;
  readonly peak?: number;
  readonly p99?: number;
  readonly modelUs?: number;
  readonly delivery?: Delivery;
  readonly commitInterval?: number;
  readonly instances?: number;
  readonly partitions?: number;
  readonly replication: number;
  readonly labels?: number;
  readonly keys: number;
  readonly windowRows: number;
  readonly statePerKey?: number;
  readonly hotKey: number;
  readonly load: number;
  readonly coefficients?: string;
  readonly scale: number;
  readonly output: OutputForm;
}

const atLeastOne = (text: string): number => {
  const value = whole(text);
  if (value === 0) throw new InvalidArgumentError('a whole number above zero is needed');
  return value;
};

const shareOf = (text: string): number => {
  const value = notNegative(text);
  if (value > 1) throw new InvalidArgumentError('a share of 0 to 1 is needed');
  return value;
};

const loadOf = (text: string): number => {
  const value = positive(text);
  if (value >= 1) throw new InvalidArgumentError('a load above 0 and below 1 is needed');
  return value;
};

const servicesOf = (text: string): readonly Planned[] => {
  const names = text.split(',').map(name => name.trim());
  const chosen = PLANNED.filter(name => names.includes(name));
  if (chosen.length !== new Set(names).size)
    throw new InvalidArgumentError(`services are ${PLANNED.join(', ')}`);
  return chosen;
};

/** Milliseconds. */
export const duration = (text: string): number => {
  const ms = parseDuration(text);
  if (ms === undefined || ms === 0)
    throw new InvalidArgumentError('a time is needed, such as 500ms, 30s, 15m or 12h');
  return ms;
};

export const servicesOption = (): Option =>
  new Option('--services <names>', 'which are planned for')
    .argParser(servicesOf)
    .default(PLANNED, PLANNED.join(','));

export const withWish = (command: Command): Command =>
  command
    .addOption(pipelineOption())
    .requiredOption('--rate <n>', 'scored events a second in the mean', positive)
    .option('--peak <n>', 'at the peak; default: the mean', positive)
    .option('--model-us <n>', 'CPU of the engine for a row, microseconds; default: as measured', notNegative)
    .addOption(
      new Option('--delivery <kind>', 'how predictions are delivered; default: as the pipeline says').choices(
        Object.keys(COMMIT_INTERVAL_MS),
      ),
    )
    .option('--commit-interval <ms>', 'INFERENCE_COMMIT_INTERVAL_MS; default: by delivery', positive)
    .option('--instances <n>', 'processes of each service; default: as many as it takes', atLeastOne)
    .option(
      '--partitions <n>',
      'of the topics; default: as the pipeline says, or more where it takes more',
      atLeastOne,
    )
    .option('--replication <n>', 'copies of each record that the brokers keep', atLeastOne, 3)
    .option('--labels <n>', 'labels for each event; default: one of each stream of labels', notNegative)
    .option('--keys <n>', 'entities with state, of all keys together', whole, 0)
    .option(
      '--window-rows <n>',
      'rows that an entity has in its windows, in the mean; a label is a row too',
      positive,
      60,
    )
    .option('--state-per-key <bytes>', 'instead of rows: state of an entity in the changelog', positive)
    .option('--hot-key <share>', 'share of all records that the hottest entity has', shareOf, 0)
    .option('--load <share>', 'how far a process may be loaded at the peak', loadOf, 0.7)
    .option('--coefficients <file>', 'figures of your machine, in the place of those that ship')
    .option('--scale <n>', 'how many times as fast as the measured machine your cores are', positive, 1)
    .addOption(output());

/** @throws UsageError where the flags contradict each other */
export const wishOf = (flags: WishFlags): Wish => {
  const pipeline = pipelinesNamed([flags.pipeline])[0]!;
  const delivery = flags.delivery ?? pipeline.delivery.inference;
  const { rate, peak = rate } = flags;
  if (peak < rate) throw new UsageError(`--peak: ${peak} is below --rate, ${rate}`);
  return {
    pipeline,
    services: flags.services,
    rate,
    peak,
    p99Ms: flags.p99,
    modelUs: flags.modelUs,
    delivery,
    commitIntervalMs: flags.commitInterval ?? COMMIT_INTERVAL_MS[delivery],
    instances: flags.instances,
    partitions: flags.partitions,
    replication: flags.replication,
    labelsPerEvent: flags.labels ?? labelStreams(pipeline),
    keys: flags.keys,
    windowRows: flags.windowRows,
    stateBytesPerKey: flags.statePerKey,
    hotKeyShare: flags.hotKey,
    loadMax: flags.load,
  };
};

/** @throws UsageError where the file cannot be read or used */
export const coefficientsOf = async ({
  coefficients: file,
  scale,
}: Pick<WishFlags, 'coefficients' | 'scale'>): Promise<Coefficients> => {
  if (file === undefined) return coefficientsFor({}, scale);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--coefficients: ${file} cannot be read: ${(error as Error).message}`);
  }
  return coefficientsFor(parseCoefficients(text, `--coefficients: ${file}`), scale);
};
