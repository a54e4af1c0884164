import type { Defect } from './simulated.ts';

const COPY = 'services/cli/src/dlq/copy.ts';
const REDRIVE = 'services/cli/src/dlq/redrive.ts';
const ROW = 'services/feature/src/row.ts';

/** Protections of letters that are sent again. */
export const OF_REDRIVES: readonly Defect[] = [
  {
    name: 'sends-letters-twice',
    violates: 'sent again once',
    shows: 'a command sends again what an earlier one has sent',
    file: REDRIVE,
    text: "    if (this.#marks.has(letter)) return 'redriven';",
    instead: '',
  },
  {
    name: 'marks-letters-later',
    violates: 'sent again once',
    shows: 'the mark of a letter is not in the transaction that sends it: killed between, it sends it twice',
    file: REDRIVE,
    text: '      await parcel.add(copy, markOf(mark));',
    instead:
      '      await parcel.add(copy);\n      await parcel.send();\n      await parcel.add(markOf(mark));',
  },
  {
    name: 'redrives-side-by-side',
    violates: 'sent again once',
    shows: 'commands over the same letters do not end each other: both send',
    file: REDRIVE,
    text: '${transactionalIdPrefix(REDRIVE_GROUP)}${selection.topic}',
    instead: '${transactionalIdPrefix(REDRIVE_GROUP)}${selection.topic}.${clock.now()}',
  },
  {
    name: 'loops-for-ever',
    violates: 'sent again once',
    shows: 'a record that comes back is sent again without an end',
    file: REDRIVE,
    text: "    if (about.redriven >= this.#options.loopsMax) return 'loops';",
    instead: '',
  },
  {
    name: 'sends-back-to-the-wrong-place',
    violates: 'answered once',
    shows: 'what another partitioner has misplaced is sent to where it was, and comes back',
    file: COPY,
    text: 'isElsewhere ? murmur2Partition(key, partitions) : partition',
    instead: 'partition',
  },
  {
    name: 'stands-where-it-was-sent',
    violates: 'answered once',
    shows: 'an event that was sent again tells the place of the copy for its own',
    file: ROW,
    text: 'return source?.topic === asideOf ? source : undefined;',
    instead: 'return source?.topic === asideOf ? { topic, partition, offset: batch.offset(i) } : undefined;',
  },
  {
    name: 'takes-letters-for-duplicates',
    violates: 'answered once',
    shows: 'an event that was sent again is taken for seen, although nothing of it was folded',
    file: ROW,
    text: "  if (from === undefined) return { reason: 'bad-value', cause: NO_SOURCE };",
    instead:
      "  if (from === undefined) return { reason: 'bad-value', cause: NO_SOURCE };\n  if (source.asideOf !== undefined) return 'duplicate';",
  },
];
