/** `millrace publish --portfolio`: a portfolio that ships, or a file of its form, as events and outcomes on their topics. */
import { join } from 'node:path';
import { topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { EXAMPLES_FOLDER, portfolioNamed } from '@millrace/pipelines';
import { EXIT, type ExitCode, type Io, type OutputForm, table, UsageError } from '../io.ts';
import { type Pace, paced } from '../publish/pace.ts';
import { portfolioLines } from '../publish/portfolioFile.ts';
import { Refused } from '../publish/portfolioRow.ts';
import { readPresent } from '../publish/present.ts';
import { openPublisher, type StreamValue } from '../publish/publisher.ts';
import { rejectsFile } from '../publish/rejects.ts';
import { waitForVectors } from '../publish/vectors.ts';
import type { World } from '../world/prepare.ts';

export interface PortfolioOptions {
  /** `taiwan`, `taiwan:test`, `hmeq:q1,q2`. */
  readonly portfolio: string;
  /** A file in the form of the part that is named, instead of the one that ships. */
  readonly files: readonly string[] | undefined;
  /** Where rows go that cannot be used; default: named after the portfolio, in the folder one is in. */
  readonly rejects: string | undefined;
  readonly pace: Pace;
  readonly output: OutputForm;
}

const SAY_EVERY_MS = 1_000;
/** Rejected rows that are told one by one; all are in the file. */
const TOLD_MAX = 5;

/** What became of the rows. `rows = rejected + sent + there` of the scored stream; of outcomes, without those unknown. */
export interface PortfolioCounts {
  rows: number;
  rejected: number;
  /** Rows that do not say yet what became of the entity. */
  withoutOutcome: number;
  /** By stream: records that the brokers have taken now. */
  readonly sent: Record<string, number>;
  /** By stream: records that were there before, on the topic or on an earlier line. */
  readonly there: Record<string, number>;
}

const isWhole = ({ rows, rejected, withoutOutcome, sent, there }: PortfolioCounts, scored: string, outcomes: string): boolean =>
  rows === rejected + sent[scored]! + there[scored]! &&
  rows === rejected + withoutOutcome + sent[outcomes]! + there[outcomes]!; // prettier-ignore

const meant = (pipeline: Pipeline, options: PortfolioOptions) => {
  const { portfolio, parts } = portfolioNamed(options.portfolio);
  if (portfolio.pipeline !== pipeline.name)
    throw new UsageError(`portfolio ${portfolio.name} is of pipeline ${portfolio.pipeline}: add --pipeline ${portfolio.pipeline}`);
  if (options.files !== undefined && options.files.length !== parts.length)
    throw new UsageError(`--file: ${options.files.length} for ${parts.length} parts of the portfolio; name a part for each, such as --portfolio ${portfolio.name}:${parts[0]}`);
  const files = parts.map((part, i) => ({
    part,
    file: options.files?.[i] ?? join(EXAMPLES_FOLDER, portfolio.parts[part]!.file),
  }));
  return { portfolio, files };
}; // prettier-ignore

const print = (io: Io, options: PortfolioOptions, counts: PortfolioCounts, reasons: Readonly<Record<string, number>>, file: string | null): void => {
  const { portfolio, output } = options;
  if (output === 'json') return io.out(JSON.stringify({ portfolio, ...counts, reasons, rejects: file }));
  const rows = [
    ['rows', counts.rows],
    ...Object.entries(counts.sent).flatMap(([stream, sent]) => [[`${stream} sent`, sent], [`${stream} there before`, counts.there[stream]!]] as const),
    ['rows without an outcome', counts.withoutOutcome],
    ['rows rejected', counts.rejected],
    ...Object.entries(reasons).map(([reason, count]) => [`  ${reason}`, count] as const),
  ] as const;
  for (const line of table(['PORTFOLIO', portfolio], rows.map(([name, count]) => [name, String(count)]))) io.out(line);
}; // prettier-ignore

/** Says when a night may begin. */
const tellVectors = async (io: Io, world: World, pipeline: Pipeline): Promise<void> => {
  let saidMs = world.clock.now();
  const { state, left } = await waitForVectors(world, pipeline, topicsOf(pipeline).scored, io.signal, waiting => {
    if (world.clock.now() - saidMs < SAY_EVERY_MS) return;
    saidMs = world.clock.now();
    io.say(`  ${waiting} records have no vector yet`);
  });
  io.say({
    there: 'Each has its vector: a night can begin.',
    behind: `${left} records have no vector, and none comes: look at the feature service before a night begins.`,
    nobody: `${left} records have no vector: no feature service is running. They get theirs when one does.`,
  }[state]);
}; // prettier-ignore

export const publishPortfolio = async (
  io: Io,
  world: World,
  pipeline: Pipeline,
  options: PortfolioOptions,
): Promise<ExitCode> => {
  const { portfolio, files } = meant(pipeline, options);
  const [scored, outcomes] = [pipeline.scores, portfolio.outcome.stream];
  const zeros = () => ({ [scored]: 0, [outcomes]: 0 });
  const counts: PortfolioCounts = { rows: 0, rejected: 0, withoutOutcome: 0, sent: zeros(), there: zeros() };
  const rejectsPath = options.rejects ?? `${options.portfolio.replaceAll(/[:,]/g, '-')}.rejects.ndjson`;
  const rejects = rejectsFile(rejectsPath);
  const prefixes = files.map(({ part }) => `${portfolio.parts[part]!.prefix}-`);
  const presence = await readPresent(world, pipeline, [scored, outcomes], prefixes);
  const reject = async (file: string, line: number, refused: Refused, text: string): Promise<void> => {
    await rejects.write(file, line, refused, text);
    if (++counts.rejected <= TOLD_MAX) io.say(`  rejected: ${file}, line ${line}: ${refused.message}`);
  };
  async function* values(): AsyncGenerator<StreamValue> {
    for (const { part, file } of files)
      for await (const { line, text, row } of portfolioLines(pipeline, portfolio, part, file)) {
        counts.rows++;
        if (row instanceof Refused) {
          await reject(file, line, row, text);
          continue;
        }
        const records = row.outcome === undefined ? [row.event] : [row.event, row.outcome];
        const asked = records.map(record => ({ record, presence: presence(record) }));
        if (asked.some(one => one.presence === 'other')) {
          await reject(file, line, new Refused('other-record', 'a record with its id is there already and says something else; send a correction with --stream and --file, its revision one higher'), text);
          continue;
        }
        if (row.outcome === undefined) counts.withoutOutcome++;
        for (const one of asked)
          if (one.presence === 'new') yield one.record;
          else counts.there[one.record.stream]!++;
      }
  }
  const publisher = await openPublisher(world, pipeline);
  let saidAt = world.clock.now();
  try {
    for await (const batch of paced(values(), options.pace, () => 0, world.clock, io.signal)) {
      await publisher.publish(batch);
      for (const { stream } of batch) counts.sent[stream]!++;
      if (world.clock.now() - saidAt < SAY_EVERY_MS) continue;
      saidAt = world.clock.now();
      io.say(`  ${publisher.published} records sent`);
    }
  } finally {
    await publisher.close();
    await rejects.close();
  }
  if (!isWhole(counts, scored, outcomes)) throw new Error(`the counts of portfolio ${options.portfolio} do not add up: ${JSON.stringify(counts)}`);
  print(io, options, counts, rejects.reasons, rejects.count > 0 ? rejectsPath : null);
  if (rejects.count > 0) io.say(`Rejected rows are in ${rejectsPath}, each with what is wrong with it.`);
  io.say(`Sent to ${[scored, outcomes].map(stream => topicsOf(pipeline).events[stream]).join(' and ')}.`);
  await tellVectors(io, world, pipeline);
  return EXIT.done;
}; // prettier-ignore
