import { expect, test } from '@jest/globals';
import { credit } from '@millrace/pipelines';
import fc from 'fast-check';
import type { Cause, Judgement } from '../../src/reconcile/judge.ts';
import type { Unit } from '../../src/reconcile/table.ts';
import { Tally } from '../../src/reconcile/tally.ts';

const UNIT: Unit = {
  expected: { run: 1, against: 1 },
  answers: { run: undefined, against: undefined },
  otherSet: false,
  repeats: undefined,
};
const differing = (difference: number, cause: Cause): Judgement => ({
  outcome: 'differing',
  difference,
  isBeyondTolerance: true,
  causes: [cause],
  letter: undefined,
});
const CAUSES: readonly Cause[] = ['model', 'score', 'vector'];

test('the examples are the greatest, and one of each cause however small', () => {
  const examples = fc.array(
    fc.record({ difference: fc.double({ min: 0, max: 1, noNaN: true }), cause: fc.constantFrom(...CAUSES) }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(examples, fc.integer({ min: 1, max: 8 }), (all, top) => {
      const tally = new Tally(credit, top);
      for (const [i, { difference, cause }] of all.entries())
        tally.add({ key: `c${i}`, partition: 0, unit: UNIT, judgement: differing(difference, cause) });
      const found = tally.examples('differing').map(({ judgement }) => judgement.difference!);
      const leaders = CAUSES.map(cause => all.filter(one => one.cause === cause).map(one => one.difference))
        .filter(of => of.length > 0)
        .map(of => Math.max(...of));
      expect(found).toEqual(found.toSorted((a, b) => b - a));
      expect(found).toEqual(expect.arrayContaining(leaders));
      expect(found).toHaveLength(Math.min(all.length, Math.max(top, leaders.length)));
      // Nothing is left out that is greater than one that is shown for its size alone.
      const rest = all.map(({ difference }) => difference).sort((a, b) => b - a);
      const bySize = Math.max(0, top - leaders.length);
      for (const one of rest.slice(0, bySize)) expect(found).toContain(one);
    }),
  );
});

test('two differences that are no number do not upset the order', () => {
  const tally = new Tally(credit, 2);
  for (const [i, difference] of [0.5, Infinity, 0.1, Infinity].entries())
    tally.add({ key: `c${i}`, partition: 0, unit: UNIT, judgement: differing(difference, 'score') });
  expect(tally.examples('differing').map(({ key }) => key)).toEqual(['c1', 'c3']);
});
