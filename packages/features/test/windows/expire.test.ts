import { expect, test } from '@jest/globals';
import { count, definePipeline } from '@millrace/define';
import fc from 'fast-check';
import { decodeChunk, encodeChunk } from '../../src/windows/chunk.ts';
import { layoutOf } from '../../src/windows/layout.ts';
import { Timeline } from '../../src/windows/timeline.ts';

const feature = count({ of: 'events', window: '1m' });
const pipeline = definePipeline({
  name: 'p',
  entity: 'id',
  scores: 'events',
  events: { events: { schema: 'p/e', time: 'at', keys: ['id'] } },
  features: { version: 1, inputs: {}, views: [{ name: 'v', version: 1, key: 'id', features: { s: feature } }] },
  model: { name: 'm', outputs: ['y'], fallback: [] },
  decisions: [{ name: 'any' }],
}); // prettier-ignore
const { layout } = layoutOf(pipeline, 'events', [(feature as { aggregate: never }).aggregate], 0);

const steps = fc.array(
  fc.record({
    forwardMs: fc.integer({ min: 0, max: 20_000 }),
    backMs: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 55_000 })),
    does: fc.oneof(
      { weight: 6, arbitrary: fc.constant('fold' as const) },
      fc.constantFrom('expire' as const, 'restore' as const),
    ),
  }),
  { minLength: 20, maxLength: 300, size: 'max' },
);

test('whatever lies wholly before the retention is gone, though leaves came and were cut in between', () => {
  fc.assert(
    fc.property(steps, all => {
      let timeline = new Timeline(layout);
      let now = 0;
      all.forEach(({ forwardMs, backMs, does }, i) => {
        now += forwardMs;
        const newest = timeline.newestTime();
        const time = Math.max(0, now - backMs);
        if (does === 'fold')
          timeline.fold({
            stream: 'events', eventId: `e${i}`, revision: 0, withdrawn: false, time, knownAt: undefined, sequence: 0,
            partition: 0, offset: i, fields: {},
          }); // prettier-ignore
        else if (does === 'expire') timeline.expireBefore(now);
        else {
          // In any order.
          const restored = new Timeline(layout);
          for (let at = timeline.leaves.length - 1; at >= 0; at--)
            restored.restore(decodeChunk(encodeChunk(timeline.leaves.at(at)!, layout), layout));
          timeline = restored;
        }
        const known = does === 'expire' ? now : does === 'fold' && time > newest ? time : undefined;
        if (known === undefined || timeline.leaves.length === 0) return;
        expect(timeline.leaves.at(0)!.end).toBeGreaterThan(known - layout.retentionMs);
      });
    }),
  );
});
