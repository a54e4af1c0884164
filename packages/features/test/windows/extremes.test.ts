import { expect, test } from '@jest/globals';
import {
  count,
  definePipeline,
  distinct,
  field,
  maxOf,
  minOf,
  stddev,
  timeSinceLast,
} from '@millrace/define';
import { compileSet, type FoldEvent } from '../../src/index.ts';

const value = field('x');
const pipeline = definePipeline({
  name: 'p',
  entity: 'id',
  scores: 'events',
  events: { events: { schema: 'p/e', time: 'at', keys: ['id'] } },
  features: {
    version: 1,
    inputs: {},
    views: [
      {
        name: 'v',
        version: 1,
        key: 'id',
        features: {
          min: minOf({ of: 'events', value, window: '1h' }),
          max: maxOf({ of: 'events', value, window: '1h' }),
          count: count({ of: 'events', window: '1h' }),
          distinct: distinct({ of: 'events', value, window: '1h' }),
          stddev: stddev({ of: 'events', value, window: '1h' }),
          since: timeSinceLast({ of: 'events', where: field('rare'), window: '1h' }),
        },
      },
    ],
  },
  model: { name: 'm', outputs: ['y'], fallback: [] },
  decisions: [{ name: 'any' }],
});

test('a hot key: windows of many leaves, with late events, corrections and withdrawals', () => {
  const [stage] = compileSet(pipeline).stages;
  const state = stage!.open();
  const standing = new Map<string, FoldEvent>();
  // A fixed scatter: every seventh event comes up to two hours late, every eleventh is sent again, changed or withdrawn.
  const scatter = (i: number, below: number): number => ((i * 48_271) % 2_147_483_647) % below;
  for (let i = 0; i < 6000; i++) {
    const time = i * 2000 - (i % 7 === 0 ? scatter(i, 7_200_000) : 0);
    const again = i % 11 === 0 && i > 0 ? standing.get(`e${scatter(i, i)}`) : undefined;
    const event: FoldEvent = {
      stream: 'events',
      eventId: `e${i}`,
      withdrawn: again !== undefined && i % 2 === 0,
      time,
      knownAt: undefined,
      sequence: i,
      partition: 0,
      offset: i,
      ...(again !== undefined && { eventId: again.eventId, time: again.time, sequence: again.sequence }),
      revision: (again?.revision ?? -1) + 1,
      fields: { id: 'hot', x: scatter(i + 1, 100_003), rare: i % 500 === 1 },
    };
    const { admission, values } = stage!.fold(state, event);
    expect(admission).toBe('folded');
    if (event.withdrawn) standing.delete(event.eventId);
    else standing.set(event.eventId, event);
    if (i % 13 !== 0 || values === undefined) continue;
    const within = [...standing.values()]
      .filter(e => e.time > event.time - 3_600_000)
      .filter(e => e.time < event.time || (e.time === event.time && e.sequence <= event.sequence));
    const xs = within.map(e => Number(e.fields['x']));
    const rare = within.filter(e => e !== event && e.fields['rare'] === true).map(e => e.time);
    const mean = xs.reduce((s, x) => s + x, 0) / xs.length;
    const deviation = Math.sqrt(xs.reduce((s, x) => s + (x - mean) ** 2, 0) / xs.length);
    const [min, max, count, distinct, stddev, since] = values;
    expect([min, max, count, distinct]).toEqual([
      Math.min(...xs),
      Math.max(...xs),
      xs.length,
      new Set(xs).size,
    ]);
    expect(Math.abs(stddev! - deviation)).toBeLessThan(1e-6);
    expect(since).toBe(rare.length === 0 ? Number.NaN : (event.time - Math.max(...rare)) / 1000);
  }
});
