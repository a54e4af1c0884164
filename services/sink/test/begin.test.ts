import { describe, expect, test } from '@jest/globals';
import { beginOf, type Standing } from '../src/begin.ts';

const at = { clusterId: 'c', group: 'g', topic: 'p', topicId: 'i', partition: 3 };
const begin = (changes: Partial<Standing>): number =>
  beginOf(at, { beginning: 0, end: 100, committed: 50, stored: 50, ...changes });

describe('where reading begins', () => {
  test.each<[string, Partial<Standing>, number]>([
    ['the two agree', {}, 50],
    ['nothing was ever stored', { committed: 0, stored: 0 }, 0],
    ['letters below the stored offset may be unsent', { committed: 40 }, 40],
    ['the database was restored to an older state', { stored: 20 }, 20],
    ['the database is new, whatever the group has committed', { stored: 0 }, 0],
    ['retention has passed what was committed, not what is stored', { beginning: 45, committed: 40 }, 45],
    ['all that is stored is gone from Kafka', { beginning: 50, committed: 40 }, 50],
    ['the database holds all there is', { stored: 100 }, 50],
  ])('%s', (_, changes, expected) => expect(begin(changes)).toBe(expected));

  test('a gap is refused, with the statement that accepts it', () => {
    expect(() => begin({ beginning: 60 })).toThrow(
      /stored up to offset 50, but Kafka's oldest record is 60.*SET next_offset = 60 WHERE consumer_group = 'g' AND topic = 'p' AND partition = 3/s,
    );
  });

  test('a log that is shorter than what is stored is refused: new records would pass for stored', () => {
    expect(() => begin({ stored: 101 })).toThrow(/stored up to offset 101, but it ends at 100/);
  });
});
