import { expect, test } from '@jest/globals';
import { closingOf } from '../../src/closing.ts';
import type { FeatureRound } from '../../src/feature/bench.ts';
import type { Judging } from '../../src/peers/judge.ts';
import { featureResult, featureTable } from '../../src/feature/result.ts';

const RIGHT = { answers: 100, missing: 0, doubled: 0, foreign: 0, wrongVectors: 0, otherOrder: 0 };

const TOO = { answers: 100, missing: 0, doubled: 0, foreign: 0, wrongVectors: 0, wrongFields: 0 };

const round = (given: Partial<FeatureRound>): FeatureRound => ({
  contestant: 'millrace',
  records: 100,
  seconds: 1,
  recordsPerSecond: 100,
  cpuSecondsPerMillion: 3,
  brokerCpuSecondsPerMillion: 1,
  cores: 1,
  runQueueShare: 0,
  othersShare: 0,
  rssMaxMb: 200,
  anonymousMb: 150,
  disturbed: undefined,
  account: RIGHT,
  verdict: TOO,
  ...given,
});

const asked = { settings: {}, records: 100, folders: ['millrace', 'kafka-streams', 'flink'] } as const;
const PYTHON = { python: 'python3', judgeLeft: undefined };
const resultOf = (
  rounds: readonly FeatureRound[],
  failed: ReadonlyMap<'flink', string> = new Map(),
  judging: Judging = PYTHON,
) => featureResult(asked, { rounds, failed, judging });

test('the ratio is our CPU over the other one', () => {
  const result = resultOf([
    round({}),
    round({ contestant: 'kafka-streams', cpuSecondsPerMillion: 12 }),
    round({ contestant: 'flink', cpuSecondsPerMillion: 6 }),
  ]);
  expect(result.cpuRatios).toEqual({ 'kafka-streams': 0.25, flink: 0.5 });
  expect(closingOf(result)).toMatchObject({ good: true });
  expect(featureTable(result).join('\n')).toMatch(/CPU s per million records\s+3\s+12\s+0\.25/);
});

test('one that failed has no figures and makes the run a failure', () => {
  const result = resultOf(
    [round({}), round({ contestant: 'flink' })],
    new Map([['flink', 'it ended by itself']]),
  );
  expect(result.contestants.flink).toBeUndefined();
  expect(result.left).toEqual({ flink: 'it ended by itself' });
  expect(closingOf(result)).toMatchObject({ good: false });
  expect(featureTable(result).join('\n')).not.toContain('flink');
});

test.each(['missing', 'doubled', 'foreign', 'wrongVectors', 'otherOrder'] as const)(
  'one vector that is %s makes it wrong: a single key has one order',
  what => {
    const result = resultOf([round({ account: { ...RIGHT, [what]: 1 } })]);
    expect(result.correct).toBe(false);
    expect(closingOf(result)).toMatchObject({ good: false });
  },
);

test.each(['missing', 'doubled', 'foreign', 'wrongVectors', 'wrongFields'] as const)(
  'one vector that is %s to the other reader alone makes it wrong, too',
  what => {
    const result = resultOf([round({ verdict: { ...TOO, [what]: 1 } })]);
    expect(result.correct).toBe(false);
    expect(closingOf(result)).toMatchObject({ good: false });
  },
);

test('without the other reader our account says whether it is right, and that nobody else does', () => {
  const left = { python: null, judgeLeft: 'python3 failed: no venv' };
  const result = resultOf([round({ verdict: null })], new Map(), left);
  expect(result).toMatchObject({ judge: null, judgeLeft: 'python3 failed: no venv', correct: true });
  expect(resultOf([round({})]).judge).toBe('bench/peers/python/judge.py');
});
