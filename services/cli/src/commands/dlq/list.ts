import type { Pipeline } from '@millrace/define';
import { lettersOf } from '../../dlq/letters.ts';
import { marksOf, topicIdOf } from '../../dlq/marks.ts';
import { letterTopicNamed, letterTopics, parseTopicFlag } from '../../dlq/topics.ts';
import { EXIT, type ExitCode, type Io, type OutputForm, table } from '../../io.ts';
import type { World } from '../../world/prepare.ts';

export interface ListOptions {
  readonly topic: string | undefined;
  readonly output: OutputForm;
}

/** Letters of one topic, reason and stage. */
interface Row {
  readonly topic: string;
  readonly reason: string;
  readonly stage: string;
  letters: number;
  /** Of them, sent again. */
  redriven: number;
  /** Append times, milliseconds since the epoch. */
  oldest: number;
  newest: number;
}

const FOREIGN = { reason: 'not ours', stage: '' } as const;

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1_000, 's'],
] as const;
const ageOf = (ms: number): string => {
  const [unitMs, unit] = UNITS.find(([size]) => ms >= size) ?? [1_000, 's'];
  return `${Math.max(0, Math.floor(ms / unitMs))}${unit}`;
};

const rowsOf = async (world: World, topic: string, signal: AbortSignal): Promise<readonly Row[]> => {
  const marks = await marksOf(world, await topicIdOf(world, topic));
  const rows = new Map<string, Row>();
  for await (const letter of lettersOf(world.broker, { topic }, signal)) {
    const { reason, stage } = letter.about ?? FOREIGN;
    const key = `${reason}\0${stage}`;
    const at = letter.appendTimeMs;
    const row = rows.get(key) ?? { topic, reason, stage, letters: 0, redriven: 0, oldest: at, newest: at };
    rows.set(key, row);
    row.letters++;
    if (marks.has(letter)) row.redriven++;
    row.oldest = Math.min(row.oldest, at);
    row.newest = Math.max(row.newest, at);
  }
  return [...rows.values()].toSorted((a, b) => b.letters - a.letters);
};

/** `millrace dlq list`: how many dead letters there are, by topic, reason and stage. */
export const listLetters = async (
  io: Io,
  world: World,
  pipelines: readonly Pipeline[],
  { topic, output }: ListOptions,
): Promise<ExitCode> => {
  const topics =
    topic === undefined ? letterTopics(pipelines) : [letterTopicNamed(pipelines, parseTopicFlag(topic).name)];
  const rows: Row[] = [];
  for (const { letters } of topics) rows.push(...(await rowsOf(world, letters.name, io.signal)));
  if (output === 'json') io.out(JSON.stringify(rows));
  else if (rows.length === 0) io.say('There are no dead letters.');
  else {
    const nowMs = world.clock.now();
    const cells = rows.map(row => [
      row.topic, row.reason, row.stage, row.letters, row.redriven, ageOf(nowMs - row.oldest), ageOf(nowMs - row.newest),
    ]); // prettier-ignore
    for (const line of table(['TOPIC', 'REASON', 'STAGE', 'LETTERS', 'REDRIVEN', 'OLDEST', 'NEWEST'], cells)) io.out(line); // prettier-ignore
  }
  return EXIT.done;
};
