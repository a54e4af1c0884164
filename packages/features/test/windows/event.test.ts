import { expect, test } from '@jest/globals';
import { definePipeline, field } from '@millrace/define';
import { checkEvent, compareOrder, type FoldEvent, orderTime, readEvent } from '../../src/index.ts';

const pipeline = definePipeline({
  name: 'p',
  entity: 'id',
  scores: 'events',
  events: {
    events: { schema: 'p/e', time: 'at', keys: ['id'] },
    labels: { schema: 'p/l', of: 'events', time: 'at', knownAt: 'knownAt', keys: ['id'] },
  },
  features: { version: 1, inputs: { x: field('x') }, views: [] },
  model: { name: 'm', outputs: ['y'], fallback: [] },
  decisions: [{ name: 'any' }],
});
const event = (fields: Partial<FoldEvent>): FoldEvent => ({
  ...readEvent(pipeline, 'events', { eventId: 'a', at: 1000, id: 'x' }, 0, 0),
  ...fields,
});

test('reads an event by the names that the pipeline gives', () => {
  const fields = { eventId: 'a', revision: 2, withdrawn: true, sequence: 9, at: 5, knownAt: 7, id: 'x' };
  expect(readEvent(pipeline, 'labels', fields, 3, 42)).toEqual({
    stream: 'labels', eventId: 'a', revision: 2, withdrawn: true, time: 5, knownAt: 7, sequence: 9, partition: 3, offset: 42, fields,
  }); // prettier-ignore
  expect(event({})).toMatchObject({
    revision: 0,
    withdrawn: false,
    sequence: 0,
    time: 1000,
    knownAt: undefined,
  });
});

test('order: order time, labels first, sequence, stream, partition, offset', () => {
  const inOrder = [
    event({ time: 1, sequence: 9 }),
    event({ time: 0, knownAt: 2, stream: 'labels', sequence: 9 }),
    event({ time: 2, sequence: 1, stream: 'events', partition: 1, offset: 5 }),
    event({ time: 2, sequence: 1, stream: 'events', partition: 1, offset: 6 }),
    event({ time: 2, sequence: 1, stream: 'events', partition: 2, offset: 0 }),
    event({ time: 2, sequence: 1, stream: 'other', partition: 0, offset: 0 }),
    event({ time: 2, sequence: 2 }),
  ];
  expect(inOrder.toReversed().toSorted(compareOrder)).toEqual(inOrder);
  expect(orderTime(inOrder[1]!)).toBe(2);
});

test('tells why an event cannot be folded', () => {
  expect(checkEvent(event({}), 0)).toBeUndefined();
  expect(checkEvent(event({ time: Number.NaN }), 0)).toContain('event time');
  expect(checkEvent(event({ time: 86_400_001 }), 0)).toContain('ahead of its arrival');
  expect(checkEvent(event({ time: 86_400_001 }), Number.POSITIVE_INFINITY)).toBeUndefined();
  expect(checkEvent(event({ knownAt: 0.5 }), 0)).toContain('time of knowing');
  expect(checkEvent(event({ sequence: 1e300 }), 0)).toContain('sequence');
});
