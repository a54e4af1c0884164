/**
 * Why live vectors differ from published ones: which events went into which epochs is written down, so each difference has
 * a cause that can be looked up.
 */
import type { World } from '@millrace/cli';
import { topicsOf } from '@millrace/contracts';
import { readRecorded } from '@millrace/feature';
import { type Epoch, EPOCH_NONE, type FoldEvent, recordedHistory } from '@millrace/features';
import { fraud } from '@millrace/pipelines';
import { murmur2Partition } from '@millrace/stream';
import type { Differing } from './compare.ts';
import type { Days } from './days.ts';
import { inOrderTime, readTransactions } from './read.ts';

const KEYS = ['terminalId', 'customerId'] as const;

export interface Why {
  /** Vectors whose epoch came before that of an event which stands before them in the common order, under one key. */
  readonly overtaken: number;
  /** Rows that differ, by cause. */
  readonly causes: Readonly<Record<string, number>>;
  /** Rows that differ, and nothing explains it. */
  readonly unexplained: number;
}

export type EpochAt = (stream: string, partition: number, offset: number) => Epoch;

/** Epochs of everything that came live; of what was history before, one that is older than all. */
export const recordedEpochs = async ({ broker, registry }: World): Promise<EpochAt> => {
  const recorded = await readRecorded(broker, registry, fraud, Infinity);
  const { events } = topicsOf(fraud);
  const histories = Object.entries(events).map(([stream, topic]) => {
    const ofPartition = Array.from({ length: fraud.partitions }, (_, partition) => {
      const input = recorded.of(topic, partition);
      if (input === undefined) return undefined;
      const until = input.ends.at(-1)!.end;
      return { begins: input.begins, history: recordedHistory({ ends: input.ends, last: Infinity, until }) };
    });
    return [stream, ofPartition] as const;
  });
  const byStream = new Map(histories);
  return (stream, partition, offset) => {
    const of = byStream.get(stream)?.[partition];
    return of === undefined || offset < of.begins ? EPOCH_NONE : of.history.epochAt(offset, 0);
  };
};

/** Events in their common order, each with the place that it has in its partition when they are published in that order. */
function* placed(days: Days): Generator<{ readonly event: FoldEvent; readonly partition: number; readonly offset: number }> {
  const next = new Map<string, number>();
  for (const event of inOrderTime(readTransactions(days.raw))) {
    const partition = murmur2Partition(Buffer.from(String(event.fields['customerId'])), fraud.partitions);
    const place = `${event.stream} ${partition}`;
    const offset = next.get(place) ?? 0;
    next.set(place, offset + 1);
    yield { event, partition, offset };
  }
} // prettier-ignore

const NAMES: Readonly<Record<string, string>> = { labels: 'label', transactions: 'payment' };

/**
 * @param differing by transaction id
 * @param ids transactions that have a vector
 */
export const whyDiffering = (
  days: Days,
  differing: Differing,
  ids: ReadonlySet<number>,
  epochAt: EpochAt,
): Why => {
  const causes: Record<string, number> = {};
  let overtaken = 0;
  let unexplained = 0;
  /** By stream, key and its value: the newest epoch of what has passed by. */
  const newest = new Map<string, Epoch>();
  const of = (event: FoldEvent, key: string, stream = event.stream): string =>
    `${stream} ${key} ${String(event.fields[key])}`;
  for (const { event, partition, offset } of placed(days)) {
    const isScored = event.stream === fraud.scores;
    if (isScored && !ids.has(event.sequence)) break; // Published no further.
    const epoch = epochAt(event.stream, partition, offset);
    if (isScored) {
      const after = KEYS.flatMap(key =>
        Object.keys(NAMES).flatMap(stream =>
          (newest.get(of(event, key, stream)) ?? EPOCH_NONE) > epoch
            ? [`a ${NAMES[stream]} of its ${key} went into a later epoch`]
            : [],
        ),
      );
      if (after.length > 0) overtaken++;
      if (differing.has(event.sequence)) {
        const [cause] = after;
        if (cause === undefined) unexplained++;
        else causes[cause] = (causes[cause] ?? 0) + 1;
      }
    }
    for (const key of KEYS) {
      const place = of(event, key);
      newest.set(place, Math.max(newest.get(place) ?? EPOCH_NONE, epoch));
    }
  }
  return { overtaken, causes, unexplained };
};
