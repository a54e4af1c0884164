import { describe, expect, test } from '@jest/globals';
import type { LetterLine, PredictionLine } from '../rig/follower.ts';
import { Ledger, placeName } from '../rig/ledger.ts';
import { judge, type Judgement } from './judge.ts';

const TOPIC = 'in';

/** Three payments of one customer and one record that nobody can read, all acknowledged. */
const ledgerOf = (): Ledger => {
  const ledger = new Ledger();
  for (const id of ['a', 'b', 'c']) ledger.add({ kind: 'event', id, key: 'k', topic: TOPIC });
  ledger.add({ kind: 'poison', id: 'p', key: 'p', topic: TOPIC });
  ledger.add({ kind: 'label', id: 'l', key: 'k', topic: 'labels' });
  ledger.entries.forEach(({ n }) => ledger.acknowledge(n, { partition: 0, offset: n }));
  return ledger;
};

const prediction = (offset: number, eventId: string, sourceOffset: number, more = {}): PredictionLine => ({
  partition: 0,
  offset,
  timeMs: 0,
  key: 'k',
  predictionId: `id-${eventId}`,
  eventId,
  entity: 'k',
  sourceTopic: TOPIC,
  sourcePartition: 0,
  sourceOffset,
  content: `of-${eventId}`,
  features: {},
  fallback: null,
  ...more,
});
const letter = (sourceOffset: number): LetterLine => {
  const source = { sourceTopic: TOPIC, sourcePartition: 0, sourceOffset };
  return { partition: 0, offset: sourceOffset, timeMs: 0, reason: 'bad-frame', ...source };
};
const good = (): PredictionLine[] => [prediction(0, 'a', 0), prediction(1, 'b', 1), prediction(2, 'c', 2)];

const judged = (
  predictions: readonly PredictionLine[],
  letters: readonly LetterLine[] = [letter(3)],
  delivery: 'exactly_once' | 'at_least_once' = 'exactly_once',
): Judgement => judge({ entries: ledgerOf().entries, predictions, letters, delivery });

const CLEAN = { lost: 0, doubled: 0, repeats: 0, reordered: 0, strange: 0 };

describe('the judge', () => {
  test('finds nothing where each input has one answer', () => {
    expect(judged(good())).toMatchObject({ ...CLEAN, inputs: 4, outputs: 4, letters: 1, examples: [] });
  });

  test('wants one letter and one answer of what was sent again', () => {
    const judgedAgain = (predictions: PredictionLine[], letters: LetterLine[]): Judgement =>
      judge({
        entries: ledgerOf().entries,
        predictions,
        letters: [letter(3), ...letters],
        delivery: 'exactly_once',
        resent: new Set([1]),
      });
    expect(judgedAgain(good(), [letter(1)])).toMatchObject({ ...CLEAN, inputs: 4, outputs: 4 });
    expect(judgedAgain([good()[0]!, good()[2]!], [letter(1)])).toMatchObject({ ...CLEAN, lost: 1 });
    const twice = [...good(), prediction(3, 'b', 1)];
    expect(judgedAgain(twice, [letter(1)])).toMatchObject({ doubled: 1 });
    expect(judgedAgain(good(), [letter(1), letter(1)])).toMatchObject({ strange: 1 });
    expect(judgedAgain(good(), [letter(1), letter(2)])).toMatchObject({ strange: 1 });
  });

  test('finds what is lost, of events, of dead letters, and of what was never acknowledged', () => {
    expect(judged(good().slice(0, 2))).toMatchObject({ ...CLEAN, lost: 1, examples: ['lost: c (0/2)'] });
    expect(judged(good(), [])).toMatchObject({ ...CLEAN, lost: 1 });
    const ledger = ledgerOf();
    ledger.add({ kind: 'event', id: 'd', key: 'k', topic: TOPIC });
    const found = judge({
      entries: ledger.entries,
      predictions: good(),
      letters: [letter(3)],
      delivery: 'exactly_once',
    });
    expect(found).toMatchObject({ ...CLEAN, lost: 1, examples: ['lost: d (never acknowledged)'] });
  });

  test('an input whose answer was destroyed is not lost, and nobody may answer it', () => {
    const gone = new Set([placeName(TOPIC, 0, 2)]);
    const of = (predictions: readonly PredictionLine[]): Judgement =>
      judge({
        entries: ledgerOf().entries,
        predictions,
        letters: [letter(3)],
        delivery: 'exactly_once',
        gone,
      });
    expect(of(good().slice(0, 2))).toMatchObject({ ...CLEAN, inputs: 3 });
    expect(of(good().slice(0, 1))).toMatchObject({ ...CLEAN, lost: 1 });
    expect(of(good())).toMatchObject({ ...CLEAN, strange: 1 });
  });

  test('finds what is doubled; the same again is a repeat where delivery is at least once', () => {
    const again = [...good(), prediction(3, 'c', 2)];
    expect(judged(again)).toMatchObject({ ...CLEAN, doubled: 1 });
    expect(judged(again, [letter(3)], 'at_least_once')).toMatchObject({ ...CLEAN, repeats: 1 });
    const otherId = [...good(), prediction(3, 'c', 2, { predictionId: 'another' })];
    expect(judged(otherId, [letter(3)], 'at_least_once')).toMatchObject({ ...CLEAN, doubled: 1 });
    const otherContent = [...good(), prediction(3, 'c', 2, { content: 'another' })];
    expect(judged(otherContent, [letter(3)], 'at_least_once')).toMatchObject({ ...CLEAN, doubled: 1 });
    expect(judged(good(), [letter(3), { ...letter(3), offset: 9 }])).toMatchObject({ ...CLEAN, doubled: 1 });
  });

  test('finds what is out of order within a key; a repeat is not', () => {
    const swapped = [prediction(0, 'b', 1), prediction(1, 'a', 0), prediction(2, 'c', 2)];
    expect(judged(swapped)).toMatchObject({ ...CLEAN, reordered: 1 });
    const repeated = [...good(), prediction(3, 'a', 0)];
    expect(judged(repeated, [letter(3)], 'at_least_once')).toMatchObject({ ...CLEAN, repeats: 1 });
  });

  test('finds answers to what was not asked, and events that were put aside', () => {
    expect(judged([...good(), prediction(3, 'z', 77)])).toMatchObject({ ...CLEAN, strange: 1 });
    expect(judged([...good().slice(0, 2), prediction(2, 'c', 2, { key: 'other' })])).toMatchObject({
      ...CLEAN, strange: 1, lost: 1,
    }); // prettier-ignore
    expect(judged(good().slice(0, 2), [letter(3), letter(2)])).toMatchObject({ ...CLEAN, strange: 1 });
  });
});
