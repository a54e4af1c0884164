import { Bad, type Codec, openCodec } from '@millrace/avro';
import { isLetterHeader, isRedriveHeader } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { type Letter, lettersOf, type Selection } from '../../dlq/letters.ts';
import { type Marks, marksOf, topicIdOf } from '../../dlq/marks.ts';
import { type LetterTopic, letterTopicNamed } from '../../dlq/topics.ts';
import { EXIT, type ExitCode, type Io, type OutputForm, printable, UsageError } from '../../io.ts';
import type { World } from '../../world/prepare.ts';

export interface ShowOptions {
  readonly limit: number;
  /** Keys, values and the headers of producers are personal data: they are shown only when asked for. */
  readonly value: boolean;
  readonly output: OutputForm;
}

/** `TOPIC:PARTITION:OFFSET`. @throws UsageError */
export const parsePlace = (text: string): { readonly name: string; readonly at: Omit<Selection, 'topic'> } => {
  const found = /^([^:]+):(\d+):(\d+)$/.exec(text);
  if (found === null) throw new UsageError(`'${text}' is no letter; write TOPIC:PARTITION:OFFSET`);
  const offset = Number(found[3]);
  return { name: found[1]!, at: { partitions: [Number(found[2])], fromOffset: offset, toOffset: offset } };
}; // prettier-ignore

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

const personal = ({ key, value, headers }: Letter, decoded: unknown): object => ({
  key: key === null ? null : text(key),
  headers: headers.filter(([name]) => !isOurs(name)).map(([name, bytes]) => [name, text(bytes)]),
  ...(decoded instanceof Bad ? { unreadable: decoded.message } : { value: decoded }),
  base64: value === null ? null : Buffer.from(value).toString('base64'),
});

const isOurs = (name: string): boolean => isLetterHeader(name) || isRedriveHeader(name);

const shown = (letter: Letter, marks: Marks): Readonly<Record<string, unknown>> => {
  const { topic, partition, offset, appendTimeMs, value, headers } = letter;
  const { redriven: redrivenBefore, ...about } = letter.about ?? { redriven: null, reason: null };
  return {
    topic,
    partition,
    offset,
    at: new Date(appendTimeMs).toISOString(),
    redriven: marks.has(letter),
    bytes: value?.length ?? null,
    ...about,
    redrivenBefore,
    headerNames: headers.map(([name]) => name).filter(name => !isOurs(name)),
  };
};

const placeOf = (at: { readonly topic: string; readonly partition: number; readonly offset: number }): string =>
  `${at.topic}:${at.partition}:${at.offset}`; // prettier-ignore

/** What a letter says of itself, for a terminal. */
export const linesOf = (letter: Letter, marks: Marks): readonly string[] => {
  const { about, appendTimeMs, value, headers } = letter;
  const own = headers.map(([name]) => name).filter(name => !isOurs(name));
  const [head, ...more] = [
    placeOf(letter),
    `appended at ${new Date(appendTimeMs).toISOString()}, ${value?.length ?? 0} bytes${marks.has(letter) ? ', sent again' : ''}`,
    ...(about === undefined
      ? ['written by somebody else: nothing says where it comes from']
      : [
          `${about.reason} in ${about.stage} (${about.group}): ${about.message}`,
          `record ${placeOf(about.rejected)}, handed over ${about.deliveries} times`,
          ...(about.redriven > 0
            ? [`first stood at ${placeOf(about.source)}, sent again ${about.redriven} times before`]
            : []),
        ]),
    ...(own.length > 0 ? [`its own headers: ${own.join(', ')}`] : []),
  ];
  return [head!, ...more.map(line => `  ${line}`)].map(printable);
};

const codecOf = async ({ registry }: World, { of }: LetterTopic): Promise<Codec<unknown> | undefined> =>
  of.value === undefined ? undefined : openCodec<unknown>(registry, of.value);

const decodedBy = async (codec: Codec<unknown> | undefined, { value }: Letter): Promise<unknown> => {
  if (value === null || codec === undefined) return null;
  await codec.prepare([value]);
  return codec.decode(value);
};

/** `millrace dlq show`: what each letter says of itself; NDJSON with `--output json`. */
export const showLetters = async (
  io: Io,
  world: World,
  pipelines: readonly Pipeline[],
  selection: Selection,
  options: ShowOptions,
): Promise<ExitCode> => {
  const found = letterTopicNamed(pipelines, selection.topic);
  const topic = found.letters.name;
  const marks = await marksOf(world, await topicIdOf(world, topic));
  const codec = options.value ? await codecOf(world, found) : undefined;
  let count = 0;
  for await (const letter of lettersOf(world.broker, { ...selection, topic }, io.signal)) {
    const more = options.value ? personal(letter, await decodedBy(codec, letter)) : undefined;
    if (options.output === 'json') io.out(JSON.stringify({ ...shown(letter, marks), ...more }));
    else {
      for (const line of linesOf(letter, marks)) io.out(line);
      if (more !== undefined) io.out(`  ${JSON.stringify(more)}`);
    }
    if (++count === options.limit) break;
  }
  if (count > 0) return EXIT.done;
  io.say(`no such letter on ${topic}: look with millrace dlq list, or retention has taken it`);
  return EXIT.failed;
};
