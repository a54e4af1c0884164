import type { RecordRun } from '../broker/port.ts';
import { exactOffset } from './exact.ts';
import { type FetchedPartition, filterAborted, type Message } from './internals.ts';

const EMPTY = new Uint8Array(0);

const valueOf = (value: Buffer | null): Uint8Array => value ?? EMPTY;

/** What was fetched of one partition from an offset on, without control records and aborted ones, as the port's view. */
export const fetchedRun = (
  topic: string,
  from: number,
  fetched: FetchedPartition,
  until = Infinity,
): RecordRun => {
  const { partition, messages, abortedTransactions, lastStableOffset } = fetched;
  // Batches are fetched whole: the first may begin before the offset.
  const within = messages.filter(({ offset }) => Number(offset) >= from);
  const records: readonly Message[] = filterAborted({ messages: within, abortedTransactions }).filter(
    message => !message.isControlRecord && Number(message.offset) < until,
  );
  const headers = (i: number): readonly (readonly [string, Uint8Array])[] =>
    records[i]!.headerList.map(({ key, value }) => [key, valueOf(value)] as const);
  return {
    topic,
    partition,
    length: records.length,
    nextOffset: nextOffsetOf(from, fetched),
    highWatermark: exactOffset(lastStableOffset),
    offset: i => Number(records[i]!.offset),
    appendTimeMs: i => Number(records[i]!.timestamp),
    key: i => records[i]!.key,
    value: i => records[i]!.value,
    header: (i, name) => {
      const found = records[i]!.headerList.find(({ key }) => key === name);
      return found === undefined ? undefined : valueOf(found.value);
    },
    headers,
  };
};

const nextOffsetOf = (from: number, { messages }: FetchedPartition): number => {
  const { lastBatchOffset } = messages;
  const last = lastBatchOffset ?? messages.at(-1)?.offset;
  return last === undefined ? from : Math.max(from, exactOffset(last) + 1);
};
