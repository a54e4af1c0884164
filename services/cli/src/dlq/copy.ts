import { type HeaderPair, isLetterHeader, isRedriveHeader, redriveHeaders } from '@millrace/contracts';
import { murmur2Partition, type OutRecord } from '@millrace/stream';
import type { Letter } from './letters.ts';

/** Where letters are sent again. */
export interface Target {
  readonly to: string;
  /** How many there are. */
  readonly partitions: number;
}

/** The letter as the record that it was, with what says that it was sent again. Those come first: a cap on headers cuts the last. */
export const copyOf = (
  letter: Letter,
  about: NonNullable<Letter['about']>,
  { to, partitions }: Target,
): OutRecord => {
  const { key, value, partition } = letter;
  const own = letter.headers.filter(([name]: HeaderPair) => !isLetterHeader(name) && !isRedriveHeader(name));
  const isElsewhere = about.reason === 'wrong-key' && key !== null;
  return {
    topic: to,
    // What another partitioner has misplaced goes where its key belongs: else it would only be rejected again.
    partition: isElsewhere ? murmur2Partition(key, partitions) : partition,
    key,
    value,
    headers: [...redriveHeaders({ source: about.source, count: about.redriven + 1 }), ...own],
  };
};
