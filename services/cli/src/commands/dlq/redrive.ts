import type { Pipeline } from '@millrace/define';
import { FencedError } from '@millrace/stream';
import type { Selection } from '../../dlq/letters.ts';
import { planRedrive, redrive, type RedriveOptions, type Tally } from '../../dlq/redrive.ts';
import { letterTopicNamed } from '../../dlq/topics.ts';
import { EXIT, type ExitCode, type Io, type OutputForm, table, UsageError } from '../../io.ts';
import type { World } from '../../world/prepare.ts';

export interface RedriveCommandOptions {
  readonly execute: boolean;
  readonly lettersMax: number;
  readonly loopsMax: number;
  readonly output: OutputForm;
}

const totalOf = ({ sent }: Tally): number => [...sent.values()].reduce((sum, count) => sum + count, 0);

const tell = (io: Io, tally: Tally, of: RedriveOptions, { execute, output }: RedriveCommandOptions): void => {
  const { sent, ...left } = tally;
  const from = of.selection.topic;
  const letters = totalOf(tally);
  if (output === 'json')
    return io.out(JSON.stringify({ from, to: of.to, executed: execute, letters, byReason: Object.fromEntries(sent), left }));
  const rows = [...sent].map(([reason, count]) => [from, reason, of.to, count]);
  for (const line of table(['FROM', 'REASON', 'TO', 'LETTERS'], rows)) io.out(line);
  const why: readonly (readonly [number, string])[] = [
    [left.redriven, 'sent again before'],
    [left.loops, `came back ${of.loopsMax} times or more (--loops-max): look at the cause`],
    [left.foreign, 'written by somebody else: nothing says where they come from'],
    [left.beyondMax, 'beyond --max'],
  ];
  for (const [count, text] of why) if (count > 0) io.say(`${count} left: ${text}`);
  if (execute) io.say(`${letters} sent again.`);
  else io.say(letters > 0 ? `${letters} to send again; nothing was done. Add --execute to do it.` : 'Nothing to send again.');
}; // prettier-ignore

/** `millrace dlq redrive`: a plan by default; with `--execute` each letter is sent again once, however often it is run. */
export const redriveLetters = async (
  io: Io,
  world: World,
  pipelines: readonly Pipeline[],
  selection: Selection,
  options: RedriveCommandOptions,
): Promise<ExitCode> => {
  const { letters, of, aside } = letterTopicNamed(pipelines, selection.topic);
  if (aside === undefined)
    throw new UsageError(
      `letters of ${of.name} are not sent again: what travels between stages belongs to an epoch that is closed`,
    );
  const how: RedriveOptions = {
    selection: { ...selection, topic: letters.name },
    to: aside.name,
    partitions: aside.partitions,
    lettersMax: options.lettersMax,
    loopsMax: options.loopsMax,
  };
  try {
    const tally = options.execute
      ? await redrive(world, how, sent => io.rewrite(`\r  ${sent} sent again`), io.signal)
      : await planRedrive(world, how, io.signal);
    tell(io, tally, how, options);
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof FencedError)) throw error;
    io.say('another redrive of this topic has begun, and goes on from what this one has sent: run it again if it ended early'); // prettier-ignore
    return EXIT.failed;
  }
};
