import type { Mutant } from './mutant.ts';

/** What keeps records from being lost or doubled, taken out one by one: for `pnpm chaos --reds`. */
const TOGETHER = 'packages/stream/src/processor/together.ts';
const SEND = 'packages/stream/src/kafka/send.ts';
/** The client as it is installed, patched. */
const KAFKAJS = 'packages/stream/node_modules/kafkajs/src';

export const PROTECTIONS: readonly Mutant[] = [
  {
    name: 'fences-nobody',
    shows:
      'a transactional id belongs to a process, so that nobody who follows fences it: heirs wait for time-outs',
    file: 'packages/stream/src/processor/acquire.ts',
    text: '`tx.${setting.group}.${task}`',
    instead: '`tx.${setting.group}.${task}.${process.pid}`',
  },
  {
    name: 'commits-unproved',
    shows: 'nobody asks whether it is still a member before it commits: doubled where fencing is gone, too',
    file: TOGETHER,
    text: 'producer.sendOffsets(member, offsets)',
    instead: 'producer.sendOffsets(member.group, offsets)',
  },
  {
    name: 'sends-in-flight',
    shows: 'several sends are under way for one partition: acknowledged records are lost, or out of order',
    file: SEND,
    text: '    const before = names.flatMap(name => this.#last.get(name) ?? []);',
    instead: '    const before: Promise<void>[] = [];',
  },
  {
    name: 'sender-used-again',
    shows:
      'a sender goes on after a send that failed: its next records are taken for those that failed, and lost',
    file: 'packages/stream/src/kafka/producer.ts',
    text: '        if (sender === current) sender = undefined;',
    instead: '',
  },
  {
    name: 'aborts-unsorted',
    shows: 'P1: aborts are looked at in the order in which they ended: aborted records are answered',
    file: 'packages/stream/src/kafka/records/aborted.ts',
    text: 'aborted.toSorted((a, b) => a.firstOffset - b.firstOffset)',
    instead: 'aborted',
  },
  {
    name: 'empty-batches-unseen',
    shows:
      'P3: a batch that compaction left empty is not stepped over: whoever restores from there never comes to an end',
    file: 'packages/stream/src/kafka/run.ts',
    text: 'batches.at(-1)?.lastOffset',
    instead: 'batches.findLast(({ count }) => count > 0)?.lastOffset',
  },
  {
    name: 'half-responses-kept',
    shows: 'P8: half a response is taken for the beginning of the next connection: silence for ever',
    file: `${KAFKAJS}/network/connection.js`,
    text: `      this.sizeBytes = 0
      this.response = null

      let timeoutId`,
    instead: '      let timeoutId',
  },
  {
    name: 'offset-apart',
    shows:
      'the sink moves its offset outside of the transaction of its rows: rows are missing when it dies between',
    file: 'services/sink/src/postgres/database.ts',
    text: 'tx`UPDATE millrace.consumer_offsets',
    instead: 'sql`UPDATE millrace.consumer_offsets',
  },
  {
    name: 'looks-for-no-rows',
    shows:
      'below its stored offset the sink takes every row for stored: what the offset left behind is not found again',
    file: 'services/sink/src/task.ts',
    text: '    const below = rows.filter(({ offset }) => offset < this.#storedNext);\n    if (below.length === 0) return rows;',
    instead:
      '    const below = rows.filter(({ offset }) => offset < this.#storedNext);\n    if (below.length >= 0) return rows.filter(({ offset }) => offset >= this.#storedNext);',
  },
  {
    name: 'never-halves',
    shows: 'records on which the code fails are not found by halving: nothing behind them is answered',
    file: 'packages/stream/src/processor/bisect.ts',
    text: '      this.#suspect = range;',
    instead: '',
  },
  {
    name: 'batches-without-limit',
    shows:
      'batches are not cut at the limit of a broker: a large send is refused each time, and never gets through',
    file: 'packages/stream/src/kafka/batches.ts',
    text: 'export const BATCH_BYTES_MAX = 900_000;',
    instead: 'export const BATCH_BYTES_MAX = 90_000_000;',
  },
  {
    name: 'events-of-any-size',
    shows:
      'an event may be as large as a broker takes: what is made of it is larger, and its partition stands still',
    file: 'services/feature/src/row.ts',
    text: "  if (large !== undefined) return { reason: 'too-large', cause: large };",
    instead: '',
  },
  {
    name: 'requests-without-limit',
    shows:
      'a request has room for everything: a broker closes the connection at one that is beyond its limit',
    file: 'packages/stream/src/kafka/batches.ts',
    text: 'export const REQUEST_BYTES_MAX = 16 * 1_048_576;',
    instead: 'export const REQUEST_BYTES_MAX = 1_600 * 1_048_576;',
  },
];
