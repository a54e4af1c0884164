/** `millrace replay run`: a slice of a topic written again, each record once, under the id of a run. */
import { userInfo } from 'node:os';
import type { Run } from '@millrace/contracts';
import { pipelines } from '@millrace/pipelines';
import { FencedError } from '@millrace/stream';
import { type Command, Option } from 'commander';
import { parseTopicFlag } from '../dlq/topics.ts';
import { type Done, output, positive, runIdFrom, talks, timeOf, whole } from '../flags.ts';
import { EXIT, type ExitCode, type Io, type OutputForm, table, UsageError } from '../io.ts';
import { durationOf, progressTeller } from '../progress.ts';
import { howFar, type Plan, planReplay, type ReplayOptions } from '../replay/plan.ts';
import { ReplayRefused } from '../replay/refused.ts';
import { replay } from '../replay/replay.ts';
import { forgotten } from '../replay/run.ts';
import type { Asked } from '../replay/slice.ts';
import { liveOf } from '../replay/target.ts';
import { type AddressFlags, findAddresses } from '../world/addresses.ts';
import { withWorld } from '../world/open.ts';
import type { World } from '../world/prepare.ts';

export interface ReplayFlags {
  readonly topic: string;
  readonly fromOffset?: number;
  readonly toOffset?: number;
  readonly fromDatetime?: string;
  readonly toDatetime?: string;
  readonly toTopic?: string;
  readonly run?: string;
  readonly rate?: number;
  readonly by: string;
  readonly execute: boolean;
  readonly output: OutputForm;
}

/** As Kafka's own tools take it: without a zone it is UTC, whatever this machine's is. */
const datetimeOf = (flag: string, text: string | undefined): number | undefined =>
  timeOf(flag, text !== undefined && /T[\d:.]+$/.test(text) ? `${text}Z` : text);

/** @throws UsageError */
export const askedOf = (flags: ReplayFlags): Asked => {
  const { name, partitions } = parseTopicFlag(flags.topic);
  const { fromOffset, toOffset } = flags;
  const fromMs = datetimeOf('from-datetime', flags.fromDatetime);
  const toMs = datetimeOf('to-datetime', flags.toDatetime);
  if (fromOffset !== undefined && toOffset !== undefined && fromOffset > toOffset)
    throw new UsageError('--from-offset is behind --to-offset');
  if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs)
    throw new UsageError('--from-datetime has to be before --to-datetime');
  return {
    topic: name,
    ...(partitions && { partitions: [...new Set(partitions)].toSorted((a, b) => a - b) }),
    ...(fromOffset !== undefined && { fromOffset }),
    ...(toOffset !== undefined && { toOffset }),
    ...(fromMs !== undefined && { fromMs }),
    ...(toMs !== undefined && { toMs }),
    to: flags.toTopic ?? name,
  };
};

/** What is left to do, in numbers. */
const workOf = ({ run, positions, known }: Plan, rate: number | undefined) => {
  const { done, total } = howFar(run, positions ?? []);
  const records = known.done === undefined ? total - done : 0;
  return { total, records, seconds: rate === undefined ? null : records / rate };
};

const print = (io: Io, plan: Plan, flags: ReplayFlags, more: Readonly<Record<string, unknown>>): void => {
  const { id, run, known, from: { name: from }, target: { topic: { name: to } } } = plan; // prettier-ignore
  if (flags.output === 'json') {
    const { records, seconds } = workOf(plan, flags.rate);
    const slice = run.slice.map(({ partition, from: first, until }) => ({ partition, from: first, until }));
    return io.out(JSON.stringify({ run: id, isDone: known.done !== undefined, from, to, slice, records, rate: flags.rate ?? null, seconds, gone: plan.gone, ...more }));
  }
  const rows = run.slice.map(({ partition, from: first, until }) => [from, partition, first, until > first ? until - 1 : '-', until - first, to]);
  for (const line of table(['TOPIC', 'PARTITION', 'FROM', 'TO', 'RECORDS', 'TARGET'], rows)) io.out(line);
}; // prettier-ignore

const doneSince = ({ run, at }: Run): string =>
  `Run ${run} is done since ${new Date(at).toISOString()}; nothing was written now. Choose another --run to do it again.`;

const tellPlan = (io: Io, plan: Plan, live: readonly string[], rate: number | undefined): void => {
  const { id, run, known, positions, gone, target: { topic: { name: to } } } = plan; // prettier-ignore
  const { records, seconds, total } = workOf(plan, rate);
  if (gone > 0) io.say(`${gone} offsets that were asked for are no longer kept.`);
  if (known.done !== undefined)
    return io.say(doneSince(known.done));
  if (positions === undefined) return io.say(forgotten(id, to).message);
  if (known.begun !== undefined)
    io.say(`Run ${id} was begun by ${run.by} at ${new Date(run.at).toISOString()}: ${total - records} of ${total} offsets are behind.`);
  const time = seconds === null ? 'as fast as they are taken (--rate)' : `at ${rate} a second: ${durationOf(seconds)}`;
  io.say(`${records} records at most to ${to}, ${time}, by run ${id}.`);
  if (live.length > 0) io.say(`It would be refused now: ${to} is read by ${live.join(', ')}.`);
  io.say('Nothing was done. Add --execute to do it.');
}; // prettier-ignore

const execute = async (io: Io, world: World, options: ReplayOptions, flags: ReplayFlags): Promise<void> => {
  const { rate } = flags;
  const progressed = progressTeller(io, world.clock, 'offsets replayed');
  const { plan, written } = await replay(world, { ...options, rate, progressed }, io.signal);
  print(io, plan, flags, { executed: true, written });
  if (plan.known.done !== undefined) io.say(doneSince(plan.known.done));
  else io.say(`${written} records were written to ${options.asked.to} by run ${plan.id}.`);
};

const tell = async (io: Io, world: World, options: ReplayOptions, flags: ReplayFlags): Promise<void> => {
  const plan = await planReplay(world, options);
  const live = await liveOf(world.broker.admin, plan.target.groups);
  print(io, plan, flags, { executed: false, live });
  tellPlan(io, plan, live, flags.rate);
};

/** A plan by default; with `--execute` each record of the slice is written again once, however often it is run. */
export const replayRun = async (io: Io, world: World, options: ReplayOptions, flags: ReplayFlags): Promise<ExitCode> => {
  try {
    await (flags.execute ? execute : tell)(io, world, options, flags);
    return EXIT.done;
  } catch (error) {
    if (error instanceof ReplayRefused) io.say(`refused: ${error.message}`);
    else if (error instanceof FencedError) io.say('another process goes on with this run: ask for it again if that one ends early');
    else {
      if (flags.execute && !io.signal.aborted && !(error instanceof UsageError))
        io.say('It is not finished: where the cause is mended, the same command goes on with it.');
      throw error;
    }
    return EXIT.failed;
  }
}; // prettier-ignore

/** What flags ask for. @throws UsageError */
export const optionsOf = (flags: ReplayFlags): ReplayOptions => ({
  asked: askedOf(flags),
  run: flags.run === undefined ? undefined : runIdFrom(flags.run),
  by: flags.by,
  pipelines,
});

/** `millrace replay`. */
export const replayCommands = (program: Command, io: Io, done: Done): void => {
  const replays = program.command('replay').description('slices of topics, written again');
  talks(replays.command('run').description('write a slice of a topic again, each record once; a plan without --execute; run again, it goes on'))
    .requiredOption('--topic <topic>', 'topic; with partitions: TOPIC:0,1')
    .addOption(new Option('--from-offset <n>', 'first offset in each partition').argParser(whole).conflicts('fromDatetime'))
    .addOption(new Option('--to-offset <n>', 'last offset in each partition, included').argParser(whole).conflicts('toDatetime'))
    .option('--from-datetime <time>', 'records that arrived at that time or later (ISO 8601; UTC without a zone)')
    .option('--to-datetime <time>', 'records that arrived before that time')
    .option('--to-topic <topic>', 'topic to which they go; default: the same')
    .option('--rate <n>', 'records a second, at most', positive)
    .option('--run <id>', 'id of the run; default: one that the same words always give')
    .option('--by <who>', 'who does it', userInfo().username)
    .option('--execute', 'do it', false)
    .addOption(new Option('--dry-run', 'only the plan, which is the default').conflicts('execute'))
    .addOption(output())
    .action((flags: ReplayFlags & AddressFlags) => {
      const options = optionsOf(flags);
      return done(findAddresses(io, flags).then(at => withWorld(at, world => replayRun(io, world, options, flags))));
    });
}; // prettier-ignore
