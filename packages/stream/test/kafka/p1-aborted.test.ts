import { expect, test } from '@jest/globals';
import { loadSource } from './patch/load.ts';

interface Message {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly inTransaction: boolean; readonly producerId: string };
}

const filter = loadSource('kafkajs/src/consumer/filterAbortedMessages') as (fetched: {
  messages: readonly Message[];
  abortedTransactions: readonly { producerId: string; firstOffset: string }[];
}) => readonly Message[];

const at = (offset: number, producerId: string, marker?: 'abort' | 'commit'): Message => ({
  offset: String(offset),
  key: marker === undefined ? null : Buffer.from([0, 0, 0, marker === 'abort' ? 0 : 1]),
  isControlRecord: marker !== undefined,
  batchContext: { inTransaction: true, producerId },
});

const kept = (messages: readonly Message[], aborted: readonly (readonly [string, number])[]): number[] =>
  filter({
    messages,
    abortedTransactions: aborted.map(([producerId, first]) => ({ producerId, firstOffset: String(first) })),
  })
    .filter(({ isControlRecord }) => !isControlRecord)
    .map(({ offset }) => Number(offset));

test('aborts that ended in another order than they began are all dropped', () => {
  const messages = [at(0, 'a'), at(1, 'b'), at(2, 'a'), at(3, 'b', 'abort'), at(4, 'a', 'abort')];
  expect(
    kept(messages, [
      ['b', 1],
      ['a', 0],
    ]),
  ).toEqual([]);
});

test('a record past the beginning of two aborted transactions is not the end of one', () => {
  // The first record of each was compacted away: one step passes both beginnings.
  const messages = [at(5, 'b'), at(6, 'a'), at(7, 'a', 'abort'), at(8, 'b', 'abort'), at(9, 'c')];
  expect(
    kept(messages, [
      ['a', 0],
      ['b', 1],
    ]),
  ).toEqual([9]);
});

test('a record whose key looks like an abort marker does not end the transaction', () => {
  const lookalike = { ...at(1, 'a'), key: Buffer.alloc(4) };
  const messages = [at(0, 'a'), lookalike, at(2, 'a'), at(3, 'a', 'abort'), at(4, 'a'), at(5, 'a', 'commit')];
  expect(kept(messages, [['a', 0]])).toEqual([4]);
});
