import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { heldOf, OffsetTracker, type Segment } from '../../src/processor/offsets.ts';

/** Runs with gaps, and an order in which their records are closed. */
const history = fc
  .array(fc.record({ gaps: fc.array(fc.nat(2), { maxLength: 5 }), behind: fc.nat(3) }), { maxLength: 6 })
  .chain(runs => {
    const count = runs.reduce((sum, { gaps }) => sum + gaps.length, 0);
    return fc.record({
      runs: fc.constant(runs),
      order: fc.shuffledSubarray(
        Array.from({ length: count }, (_, i) => i),
        { minLength: 0, maxLength: count },
      ),
    });
  });

test('the watermark is the lowest offset not taken, and each record of the prefix is taken once, in order', () => {
  fc.assert(
    fc.property(history, fc.nat(4), fc.integer({ min: 1, max: 4 }), ({ runs, order }, takeEvery, takeMax) => {
      const tracker = new OffsetTracker<number>(7);
      const records: { offset: number; segment: Segment<number>; i: number }[] = [];
      let next = 7;
      for (const { gaps, behind } of runs) {
        const offsets = gaps.map(gap => (next += gap + 1) - 1);
        next += behind;
        const segment = tracker.add(offsets.length, i => offsets[i]!, next);
        offsets.forEach((offset, i) => records.push({ offset, segment, i }));
      }
      const open = new Set(records.map(({ offset }) => offset));
      const taken: number[] = [];
      const take = (max: number): void => {
        let room = max;
        const count = tracker.take(
          (_, held) => taken.push(...heldOf(held!)),
          () => room-- > 0,
        );
        expect(count).toBeLessThanOrEqual(max);
      };
      const lowest = (of: readonly number[]): number => (of.length === 0 ? next : Math.min(...of));
      const untaken = (): readonly number[] =>
        records.map(({ offset }) => offset).filter(offset => !taken.includes(offset));
      for (const [step, index] of order.entries()) {
        const { offset, segment, i } = records[index]!;
        segment.held[i] = i % 2 === 0 ? offset : [offset];
        tracker.close(segment, i, 1);
        open.delete(offset);
        if (step % (takeEvery + 1) === 0) take(takeMax);
        expect(tracker.watermark).toBe(lowest(untaken()));
        expect(tracker.ready).toBe(lowest(untaken()) < lowest([...open]));
        expect(tracker.open).toBe(open.size);
      }
      take(Infinity);
      expect([tracker.watermark, tracker.ready]).toEqual([lowest([...open]), false]);
      expect(taken).toEqual(records.map(({ offset }) => offset).filter(offset => offset < lowest([...open])));
    }),
  );
});

test('a second answer and a second delivery are refused', () => {
  const tracker = new OffsetTracker<never>(0);
  const segment = tracker.add(2, i => i, 2);
  tracker.close(segment, 1, 1);
  expect(() => tracker.close(segment, 1, 2)).toThrow('offset 1 was closed before');
  expect(() => tracker.add(1, () => 1, 2)).toThrow('before the position 2');
});

test('a gap at the end counts as read once the records before it are taken', () => {
  const tracker = new OffsetTracker<never>(0);
  const segment = tracker.add(1, () => 3, 9);
  expect(tracker.watermark).toBe(3);
  tracker.close(segment, 0, 1);
  tracker.take(() => undefined);
  expect(tracker.watermark).toBe(9);
  tracker.moveTo(12);
  tracker.moveTo(5);
  expect(tracker.watermark).toBe(12);
});
