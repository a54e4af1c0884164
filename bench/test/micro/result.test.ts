import { expect, test } from '@jest/globals';
import { closingOf } from '../../src/closing.ts';
import { measure } from '../../src/micro/bench.ts';
import type { Piece } from '../../src/micro/piece.ts';
import { microResult, type MicroRound, microTable } from '../../src/micro/result.ts';

const round = (piece: string, n: number, us: number, wrong?: string): MicroRound => ({
  piece,
  round: n,
  us,
  wrong,
});

test('best and median of the rounds, the first of which is left out', () => {
  const rounds = [9, 0.5, 0.25, 4].map((us, n) => round('b', n, us));
  const result = microResult(100, [...rounds, round('a', 0, 1), round('a', 1, 2)]);
  expect(Object.entries(result.pieces)).toEqual([
    ['b', { bestUs: 0.25, medianUs: 0.5 }],
    ['a', { bestUs: 2, medianUs: 2 }],
  ]);
  expect(closingOf(result)).toMatchObject({ good: true });
  expect(microTable(result).map(line => line.trim().split(/ {2,}/))).toEqual([
    ['CPU of a record, µs', 'best', 'median'],
    ['b', '0.250', '0.500'],
    ['a', '2.000', '2.000'],
  ]);
});

test('one that is wrong makes the run a failure, in the first round too', () => {
  const result = microResult(100, [round('b', 0, 9, 'upside down'), round('b', 1, 9)]);
  expect(closingOf(result)).toMatchObject({ good: false });
  expect(microTable(result)).toContain('b, round 0: WRONG: upside down');
});

test('pieces take turns, each once in a round', async () => {
  const turns: string[] = [];
  const piece = (name: string): Piece => ({
    name,
    round: async meter => {
      turns.push(name);
      await meter.run(() => undefined);
      return name === 'b' && turns.length === 4 ? 'in its second round' : undefined;
    },
  });
  const { signal } = new AbortController();
  const options = { records: 10, rounds: 1, signal, say: () => undefined };
  const rounds = await measure([piece('a'), piece('b')], options);
  expect(turns).toEqual(['a', 'b', 'a', 'b']);
  expect(rounds.map(one => [one.piece, one.round, one.wrong])).toEqual([
    ['a', 0, undefined],
    ['b', 0, undefined],
    ['a', 1, undefined],
    ['b', 1, 'in its second round'],
  ]);
});
