/** Compares what was acknowledged with what was answered. Pure: everything was read by clients that are not ours. */
import type { LetterLine, PredictionLine } from '../rig/follower.ts';
import { type Entry, isAnswered, placeName } from '../rig/ledger.ts';

export type Delivery = 'exactly_once' | 'at_least_once';

export interface Judgement {
  /** Acknowledged records that must be answered. */
  readonly inputs: number;
  /** Predictions and dead letters, without those that were sent again. */
  readonly outputs: number;
  readonly letters: number;
  /** Inputs without an answer, also those that the brokers never acknowledged within the run. */
  readonly lost: number;
  /** Answers too many; at least once, only those with another id or content than the first. */
  readonly doubled: number;
  /** At least once: the same answer again. */
  readonly repeats: number;
  /** First answers of a key that come after the answer to a later input of that key. */
  readonly reordered: number;
  /** Answers to what nobody asked, or under another key, id or place than the input's. */
  readonly strange: number;
  /** The first few of each kind, in words. */
  readonly examples: readonly string[];
}

const EXAMPLES_MAX = 3;

class Tally {
  readonly counts: Record<'lost' | 'doubled' | 'repeats' | 'reordered' | 'strange', number> =
    { lost: 0, doubled: 0, repeats: 0, reordered: 0, strange: 0 }; // prettier-ignore
  readonly examples: string[] = [];

  add(kind: keyof Tally['counts'], what: string): void {
    if (this.counts[kind]++ < EXAMPLES_MAX) this.examples.push(`${kind}: ${what}`);
  }
}

interface First {
  readonly predictionId: string;
  readonly content: string;
}

export const judge = (given: {
  readonly entries: readonly Entry[];
  readonly predictions: readonly PredictionLine[];
  readonly letters: readonly LetterLine[];
  readonly delivery: Delivery;
  /** Places of inputs whose answers were destroyed on purpose: nobody may answer them. */
  readonly gone?: ReadonlySet<string>;
  /** Numbers of inputs whose letters were sent again: each has one letter, and then an answer like any other. */
  readonly resent?: ReadonlySet<number>;
  /** Which inputs belong to the dead letters; those that cannot be read, if nothing is said. */
  readonly isRejected?: ((entry: Entry) => boolean) | undefined;
}): Judgement => {
  const {
    predictions,
    letters,
    delivery,
    gone,
    resent,
    isRejected = ({ kind }: Entry) => kind === 'poison',
  } = given;
  const isGone = ({ topic, at }: Entry): boolean =>
    at !== undefined && gone?.has(placeName(topic, at.partition, at.offset)) === true;
  const asked = given.entries.filter(entry => isAnswered(entry.kind) && !isGone(entry));
  const byPlace = new Map(
    asked.flatMap(entry =>
      entry.at === undefined ? [] : [[placeName(entry.topic, entry.at.partition, entry.at.offset), entry]],
    ),
  );
  const tally = new Tally();
  const answers = new Map<Entry, First>();
  const newest = new Map<string, number>();
  const put = new Set<Entry>();

  const entryOf = (line: PredictionLine | LetterLine): Entry | undefined =>
    byPlace.get(placeName(line.sourceTopic, line.sourcePartition, line.sourceOffset));
  const take = (entry: Entry, first: First, where: string): boolean => {
    const before = answers.get(entry);
    if (before === undefined) {
      answers.set(entry, first);
      return true;
    }
    const same = before.predictionId === first.predictionId && before.content === first.content;
    tally.add(delivery === 'at_least_once' && same ? 'repeats' : 'doubled', `${entry.id} again at ${where}`);
    return false;
  };

  for (const line of [...predictions].sort((a, b) => a.partition - b.partition || a.offset - b.offset)) {
    const entry = entryOf(line);
    const where = `prediction ${line.partition}/${line.offset}`;
    if (entry === undefined || isRejected(entry) || entry.id !== line.eventId || entry.key !== line.key) {
      tally.add(
        'strange',
        `${where} answers ${line.eventId} at ${line.sourcePartition}/${line.sourceOffset}`,
      );
      continue;
    }
    if (!take(entry, line, where)) continue;
    const before = newest.get(line.key) ?? -1;
    if (line.sourceOffset < before)
      tally.add('reordered', `${where}: input ${line.sourceOffset} of ${line.key} behind ${before}`);
    newest.set(line.key, Math.max(before, line.sourceOffset));
  }
  for (const line of letters) {
    const entry = entryOf(line);
    const where = `letter ${line.partition}/${line.offset}`;
    if (entry !== undefined && resent?.has(entry.n) === true && !put.has(entry)) {
      put.add(entry);
      continue;
    }
    if (entry === undefined || !isRejected(entry)) {
      const place = `${line.sourcePartition}/${line.sourceOffset}`;
      tally.add(
        'strange',
        `${where} puts ${entry?.id ?? 'nothing of ours'} at ${place} aside: ${line.reason}`,
      );
      if (entry === undefined) continue;
    }
    take(entry, { predictionId: '', content: line.reason }, where);
  }
  for (const entry of asked) {
    if (answers.has(entry)) continue;
    const { acknowledged, at } = entry;
    const where = !acknowledged
      ? 'never acknowledged'
      : at === undefined
        ? 'not in the log'
        : `${at.partition}/${at.offset}`;
    tally.add('lost', `${entry.id} (${where})`);
  }
  return {
    inputs: asked.length,
    outputs: predictions.length + letters.length - put.size,
    letters: letters.length,
    ...tally.counts,
    examples: tally.examples,
  };
};
