import { type HeaderPair, type LetterAbout, letterOf } from '@millrace/contracts';
import type { Broker, PartitionOffset } from '@millrace/stream';

/** A record of a dead letter topic. */
export interface Letter extends PartitionOffset {
  readonly appendTimeMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly HeaderPair[];
  /** Undefined: somebody else has written it. */
  readonly about: LetterAbout | undefined;
}

/** Some of the letters of one topic. What is left out holds for all. */
export interface Selection {
  readonly topic: string;
  readonly partitions?: readonly number[];
  /** Offsets of the letters in each partition, both ends included. */
  readonly fromOffset?: number;
  readonly toOffset?: number;
  readonly reason?: string;
  readonly stage?: string;
}

const isSelected = ({ about, offset }: Letter, { toOffset, reason, stage }: Selection): boolean =>
  offset <= (toOffset ?? offset) &&
  (reason === undefined || about?.reason === reason) &&
  (stage === undefined || about?.stage === stage);

/** The letters that there are now, each partition in its order. */
export async function* lettersOf(
  broker: Broker,
  selection: Selection,
  signal: AbortSignal,
): AsyncGenerator<Letter> {
  const { topic, partitions, fromOffset = 0, toOffset } = selection;
  const isWanted = ({ partition }: PartitionOffset): boolean => partitions?.includes(partition) ?? true;
  const from = (await broker.admin.beginningOffsets(topic)).filter(isWanted);
  const ends = (await broker.admin.endOffsets(topic)).filter(isWanted);
  const until = ends.map(end => ({ ...end, offset: Math.min(end.offset, (toOffset ?? end.offset) + 1) }));
  const begin = from.map(at => {
    const end = until.find(({ partition }) => partition === at.partition)!;
    return { ...at, offset: Math.min(Math.max(at.offset, fromOffset), Math.max(at.offset, end.offset)) };
  });
  for await (const run of broker.read({ from: begin, until, signal }))
    for (let i = 0; i < run.length; i++) {
      const letter = {
        topic,
        partition: run.partition,
        offset: run.offset(i),
        appendTimeMs: run.appendTimeMs(i),
        key: run.key(i),
        value: run.value(i),
        headers: run.headers(i),
        about: letterOf(name => run.header(i, name)),
      };
      if (isSelected(letter, selection)) yield letter;
    }
}
