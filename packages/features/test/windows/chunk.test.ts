import { expect, test } from '@jest/globals';
import { definePipeline, field, sum } from '@millrace/define';
import fc from 'fast-check';
import type { FoldEvent } from '../../src/index.ts';
import { decodeChunk, encodeChunk } from '../../src/windows/chunk.ts';
import { layoutOf } from '../../src/windows/layout.ts';
import { keyOf, type Leaf } from '../../src/windows/leaf.ts';
import { Timeline } from '../../src/windows/timeline.ts';

const value = field('x');
const feature = sum({ of: 'labels', value, scale: 0, window: '1h' });
const pipeline = definePipeline({
  name: 'p',
  entity: 'id',
  scores: 'events',
  events: {
    events: { schema: 'p/e', time: 'at', keys: ['id'] },
    labels: { schema: 'p/l', of: 'events', time: 'at', knownAt: 'knownAt', keys: ['id'] },
  },
  features: { version: 1, inputs: {}, views: [{ name: 'v', version: 1, key: 'id', features: { s: feature } }] },
  model: { name: 'm', outputs: ['y'], fallback: [] },
  decisions: [{ name: 'any' }],
}); // prettier-ignore
const { layout } = layoutOf(pipeline, 'labels', [(feature as { aggregate: never }).aggregate], 0);

const labels = fc.array(
  fc.record({
    forwardMs: fc.integer({ min: 0, max: 60_000 }),
    // Most come in order.
    backMs: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 900_000 })),
    again: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
    written: fc.boolean(),
    x: fc.integer({ min: -50, max: 50 }),
  }),
  { minLength: 50, maxLength: 400, size: 'max' },
);

test('a chunk is the same, whether all of it is written or only what came since', () => {
  let goneOn = 0;
  fc.assert(
    fc.property(labels, steps => {
      const timeline = new Timeline(layout);
      const chunks = new Map<Leaf, Uint8Array>();
      let now = 0;
      let before: FoldEvent | undefined;
      steps.forEach(({ forwardMs, backMs, again, written, x }, i) => {
        now += forwardMs;
        const same = again ? before : undefined;
        const time = same?.time ?? Math.max(0, now - backMs);
        before = {
          stream: 'labels', eventId: same?.eventId ?? `e${i}`, revision: i, withdrawn: x === 0, time,
          knownAt: time + x + 50, sequence: i, partition: 0, offset: i, fields: { x },
        }; // prettier-ignore
        timeline.fold(before);
        if (!written) return;
        for (const leaf of timeline.takeChanges().changed) {
          if (leaf.length === 0) continue;
          if (leaf.written > 0) goneOn++;
          const bytes = new Uint8Array(encodeChunk(leaf, layout, chunks.get(leaf)));
          chunks.set(leaf, bytes);
          // Put together anew, it knows nothing of what was written before.
          const whole = decodeChunk(bytes, layout);
          expect(keyOf(whole)).toBe(keyOf(leaf));
          expect(Buffer.from(encodeChunk(whole, layout))).toEqual(Buffer.from(bytes));
          expect(Array.from({ length: whole.length }, (_, row) => whole.rowAt(row))).toEqual(
            Array.from({ length: leaf.length }, (_, row) => leaf.rowAt(row)),
          );
        }
      });
    }),
    { numRuns: 40, endOnFailure: true },
  );
  expect(goneOn).toBeGreaterThan(500);
});
