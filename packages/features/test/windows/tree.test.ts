import { expect, test } from '@jest/globals';
import { definePipeline, maxOf, field, sum } from '@millrace/define';
import fc from 'fast-check';
import type { FoldEvent } from '../../src/index.ts';
import { LeafExtremes } from '../../src/windows/extremes.ts';
import { layoutOf } from '../../src/windows/layout.ts';
import { COUNT, SUM, totalsAt } from '../../src/windows/columns.ts';
import { LeafSums } from '../../src/windows/sums.ts';
import { Timeline } from '../../src/windows/timeline.ts';

const value = field('x');
const aggregates = [
  sum({ of: 'labels', value, scale: 0, window: '1h' }),
  maxOf({ of: 'labels', value, window: '1h' }),
].map(d => (d as { aggregate: never }).aggregate);
const pipeline = definePipeline({
  name: 'p',
  entity: 'id',
  scores: 'events',
  events: {
    events: { schema: 'p/e', time: 'at', keys: ['id'] },
    labels: { schema: 'p/l', of: 'events', time: 'at', knownAt: 'knownAt', keys: ['id'] },
  },
  features: {
    version: 1,
    inputs: {},
    views: [
      { name: 'v', version: 1, key: 'id', features: { s: sum({ of: 'events', value, scale: 0, window: '1h' }) } },
    ],
  },
  model: { name: 'm', outputs: ['y'], fallback: [] },
  decisions: [{ name: 'any' }],
}); // prettier-ignore
const { layout, measuresOf } = layoutOf(pipeline, 'labels', aggregates, 0);
const [summed, raw] = aggregates.map(a => measuresOf.get(a)![0]!) as [number, number];

/** Steps forward in time with some back, each with labels of which some take others' places. */
const labels = fc.array(
  fc.record({
    forwardMs: fc.integer({ min: 0, max: 20_000 }),
    backMs: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 3_000_000 })),
    knownAfterMs: fc.integer({ min: 0, max: 600_000 }),
    again: fc.boolean(),
    x: fc.integer({ min: -50, max: 50 }),
  }),
  { minLength: 600, maxLength: 1_500, size: 'max' },
);

test('runs of leaves have the figures of their leaves, whatever comes, goes and is looked at in between', () => {
  let leavesMax = 0;
  let gone = 0;
  fc.assert(
    fc.property(labels, steps => {
      const timeline = new Timeline(layout);
      const sums = new LeafSums(timeline.leaves, layout.measures.length);
      const extremes = new LeafExtremes(timeline.leaves, raw, 'max');
      timeline.trees.push(sums, extremes);
      let now = 0;
      let before: FoldEvent | undefined;
      steps.forEach(({ forwardMs, backMs, knownAfterMs, again, x }, i) => {
        now += forwardMs;
        const time = again && before !== undefined ? before.time : Math.max(0, now - backMs);
        before = {
          stream: 'labels', eventId: again && before !== undefined ? before.eventId : `e${i}`, revision: i, withdrawn: x === 0, time,
          knownAt: time + knownAfterMs, sequence: i, partition: 0, offset: i, fields: { x },
        }; // prettier-ignore
        const first = timeline.leaves.at(0);
        timeline.fold(before);
        if (first !== undefined && timeline.leaves.at(0)!.start > first.end) gone++;
        if (i % 7 !== 0) return;
        const { leaves } = timeline;
        leavesMax = Math.max(leavesMax, leaves.length);
        const from = i % leaves.length;
        const to = from + ((i * 31) % (leaves.length - from + 1));
        const within = Array.from({ length: to - from }, (_, at) => leaves.at(from + at)!);
        const all = (column: typeof COUNT | typeof SUM): number =>
          within.reduce((total, leaf) => total + leaf.upTo(leaf.length, summed, column), 0);
        const greatest = within.map(leaf => leaf.extreme(raw, 'max')).filter(n => !Number.isNaN(n));
        const lastOf = (test: (index: number) => boolean): number => {
          for (let at = to - 1; at >= from; at--) if (test(at)) return at;
          return -1;
        };
        const totals = new Float64Array(2 * timeline.layout.measures.length);
        sums.addTo(totals, from, to);
        expect([
          totals[totalsAt(summed, COUNT)],
          totals[totalsAt(summed, SUM)],
          extremes.over(from, to),
          sums.lastWith(from, to, summed),
          sums.lastUnsettled(from, to, now),
        ]).toEqual([
          all(COUNT),
          all(SUM),
          greatest.length === 0 ? Number.NaN : Math.max(...greatest),
          lastOf(at => leaves.at(at)!.upTo(leaves.at(at)!.length, summed, COUNT) > 0),
          lastOf(at => leaves.at(at)!.changedAtMax > now),
        ]);
      });
    }),
    { numRuns: 12, endOnFailure: true },
  );
  expect([leavesMax > 12, gone > 0]).toEqual([true, true]);
});
