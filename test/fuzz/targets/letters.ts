import { type HeaderPair, isLetterHeader, isRedriveHeader, isRunId, type LetterAbout, letterOf, redrivenOf, redriveHeaders, REPLAY_RUN_HEADER, replayRunOf } from '@millrace/contracts'; // prettier-ignore
import type { OutRecord, PartitionOffset, RecordRun } from '@millrace/stream';
import {
  deadLetter,
  HEADER_BYTES_MAX,
  HEADER_COUNT_MAX,
} from '../../../packages/stream/src/processor/deadLetter.ts';
import { linesOf } from '../../../services/cli/src/commands/dlq/show.ts';
import { copyOf } from '../../../services/cli/src/dlq/copy.ts';
import { Marks } from '../../../services/cli/src/dlq/marks.ts';
import { must, type Target } from '../target.ts';
import { TROUBLE } from './avro.ts';

const TOPIC = 'fraud.transactions.v1';
const PARTITIONS = 6;
const LOOPS = 3;
const RECORD: PartitionOffset = { topic: TOPIC, partition: 5, offset: 41 };
const ASIDE: PartitionOffset = { topic: `${TOPIC}.aside`, partition: 5, offset: 7 };
/** Headers of a letter about itself, at most. */
const ABOUT_COUNT_MAX = 9;
const ABOUT_BYTES_MAX = 2_048;

/** Pairs of name and value in bytes: apart by what a sample has in neither. */
const headersIn = (input: Uint8Array): readonly HeaderPair[] =>
  Buffer.from(input)
    .toString('latin1')
    .split('\u001e')
    .map(pair => {
      const [name = '', ...value] = pair.split('\u001f');
      return [Buffer.from(name, 'latin1').toString(), Buffer.from(value.join('\u001f'), 'latin1')];
    });

const bytesOf = (headers: readonly HeaderPair[]): Uint8Array =>
  Buffer.concat(
    headers.flatMap(([name, value], i) => [
      Buffer.from(i === 0 ? '' : '\u001e'),
      Buffer.from(name),
      Buffer.from('\u001f'),
      value,
    ]),
  );

const headerIn =
  (headers: readonly HeaderPair[]) =>
  (name: string): Uint8Array | undefined =>
    headers.find(([other]) => other === name)?.[1];

const runOf = (at: PartitionOffset, headers: readonly HeaderPair[]): RecordRun => ({
  topic: at.topic,
  partition: at.partition,
  length: 1,
  bytes: 2,
  nextOffset: at.offset + 1,
  highWatermark: at.offset + 1,
  offset: () => at.offset,
  appendTimeMs: () => 0,
  key: () => Buffer.from('k'),
  value: () => Buffer.from('v'),
  header: (_, name) => headerIn(headers)(name),
  headers: () => headers,
});

/** The record is rejected where it stands. */
const rejected = (at: PartitionOffset, headers: readonly HeaderPair[]): OutRecord =>
  deadLetter({ run: runOf(at, headers), index: 0, topic: `${TOPIC}.dlq`, group: 'g', stage: 's', reason: 'bad-value', cause: 'why', deliveries: 1 }); // prettier-ignore

const same = (a: PartitionOffset, b: PartitionOffset): boolean =>
  a.topic === b.topic && a.partition === b.partition && a.offset === b.offset;

const isPlace = ({ partition, offset }: PartitionOffset): boolean =>
  [partition, offset].every(number => Number.isSafeInteger(number) && number >= 0);

const show = (letter: OutRecord, about: LetterAbout | undefined): void => {
  const all = { ...letter, headers: letter.headers ?? [], offset: 0, appendTimeMs: 0, about };
  for (const line of linesOf(all, new Marks('id', new Set())))
    must(!/\p{Cc}/u.test(line), 'nothing of a record steers the terminal');
};

/** Sent again, it says where it first stood and how often it was sent, whatever its own headers say. */
const redriven = (letter: OutRecord, about: LetterAbout): readonly HeaderPair[] => {
  const copy = copyOf({ ...letter, headers: letter.headers!, offset: 0, appendTimeMs: 0, about }, about, {
    to: ASIDE.topic,
    partitions: PARTITIONS,
  });
  const headers = copy.headers!;
  const said = redrivenOf(headerIn(headers));
  must(said !== undefined && same(said.source, about.source), 'a copy says where it first stood');
  must(said!.count === about.redriven + 1, 'a copy says how often it was sent again');
  must(!headers.some(([name]) => isLetterHeader(name)), 'a copy has nothing of the letter');
  return headers;
};

/** A record with these headers is rejected, and comes back as often as it is sent again. */
const walk = (at: PartitionOffset, sent: readonly HeaderPair[]): void => {
  let [place, headers] = [at, sent];
  let source: PartitionOffset | undefined;
  for (let loop = 0; loop <= LOOPS; loop++) {
    const letter = rejected(place, headers);
    const about = letterOf(headerIn(letter.headers!));
    must(about !== undefined && same(about.rejected, place), 'a letter says which record it is of');
    must(isPlace(about!.source), 'a letter says where its record first stood');
    if (place !== ASIDE) must(same(about!.source, place) && about!.redriven === 0, 'what producers say of it is not believed');
    must(source === undefined || same(about!.source, source), 'that stays as it is');
    source = about!.source;
    const carried = letter.headers!.filter(([name]) => !isLetterHeader(name));
    const own = carried.filter(([name]) => !isRedriveHeader(name));
    must(carried.length <= HEADER_COUNT_MAX, 'headers that a letter carries on are limited');
    const bytes = letter.headers!.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
    must(bytes <= HEADER_BYTES_MAX + ABOUT_BYTES_MAX, 'and their bytes');
    must(letter.headers!.length - carried.length <= ABOUT_COUNT_MAX, 'a letter says each thing once');
    show(letter, about);
    if (about!.redriven >= LOOPS) return;
    headers = redriven(letter, about!);
    must(headers.length === own.length + redriveHeaders({ source, count: 1 }).length, 'a copy has the headers of its record');
    place = ASIDE;
  }
  must(false, 'who counts comes to an end');
}; // prettier-ignore

/** Headers of records, letters and copies, by whomever they were written. */
export const lettersTarget = async (): Promise<Target> => {
  const own = [
    ['traceparent', Buffer.from('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01')],
    ['__replay.run', Buffer.from('2026-11-29')],
  ] as const;
  const copy = [...redriveHeaders({ source: RECORD, count: 1 }), ...own];
  const samples = [own, copy, rejected(RECORD, own).headers!, rejected(ASIDE, copy).headers!];
  for (const { length } of samples.map(bytesOf)) must(length > 0, 'samples have bytes');
  return {
    name: 'letters',
    samples: samples.map(bytesOf),
    words: [...TROUBLE, '__dlq.errors.topic', '__dlq.errors.partition', '__dlq.errors.', '__redrive.count\u001f9007199254740991', '__redrive.source.offset\u001f-1', '__redrive.', '\u001e', '\u001f', '\u001b[2J', '\r', '1e3', '0x10', '.aside', '.dlq'],
    // Twice what a letter carries on: one input is a record, a letter and a copy eight times over.
    bytesMax: 2 * HEADER_BYTES_MAX,
    run: input => {
      const headers = headersIn(input);
      walk(RECORD, headers);
      walk(ASIDE, headers);
      // A letter that somebody else has written.
      const about = letterOf(headerIn(headers));
      must(about === undefined || (isPlace(about.rejected) && Number.isSafeInteger(about.deliveries)), 'a letter has a place');
      show({ topic: `${TOPIC}.dlq`, partition: 0, key: null, value: null, headers }, about);
      if (about !== undefined && about.redriven < LOOPS) redriven({ topic: `${TOPIC}.dlq`, partition: 0, key: null, value: null, headers }, about);
      const run = replayRunOf(headerIn(headers)(REPLAY_RUN_HEADER));
      must(run === undefined || isRunId(run), 'a run has an id');
    },
  };
}; // prettier-ignore
