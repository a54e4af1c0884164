import { expect, test } from '@jest/globals';
import type { PeersRound } from '../../src/peers/bench.ts';
import { isRight, type Verdict } from '../../src/peers/judge.ts';
import { peersTable, resultOf } from '../../src/peers/result.ts';

const RIGHT: Verdict = {
  answers: 100,
  missing: 0,
  doubled: 0,
  foreign: 0,
  wrongScores: 0,
  wrongFields: 0,
  worstScore: 1e-7,
  bytesMean: 500,
};

const round = (given: Partial<PeersRound>): PeersRound => ({
  contestant: 'millrace',
  records: 100,
  seconds: 1,
  recordsPerSecond: 100,
  cpuSecondsPerMillion: 10,
  brokerCpuSecondsPerMillion: 1,
  warmCpuSecondsPerMillion: 8,
  cores: 1,
  runQueueShare: 0,
  othersShare: 0,
  rssMaxMb: 200,
  anonymousMb: 150,
  disturbed: undefined,
  verdict: RIGHT,
  ...given,
});

const options = {
  workload: 'fraud-xgb',
  delivery: 'at-least-once',
  records: 100,
  only: ['millrace', 'kafka-streams', 'python'],
} as const;
const left = new Map(
  [
    'kafka-streams-batched',
    'flink',
    'flink-batched',
    'java-batch',
    'java-tuned',
    'kafkajs',
    'java-scores',
    'ceiling',
  ].map(name => [name, 'not asked for']),
);
left.set('python', 'mvn failed: no network');

const rounds = [
  round({}),
  round({ cpuSecondsPerMillion: 12, rssMaxMb: 220, warmCpuSecondsPerMillion: null }),
  round({ cpuSecondsPerMillion: 90, disturbed: 'others used 80 % of the machine' }),
  round({ contestant: 'kafka-streams', cpuSecondsPerMillion: 44, recordsPerSecond: 25, disturbed: 'others' }),
];

test('every contestant has a figure, or null and the reason', () => {
  const result = resultOf(options, { rounds, left });
  expect(result.cpuPerMillion).toEqual({
    millrace: 11,
    'kafka-streams': 44,
    'kafka-streams-batched': null,
    flink: null,
    'flink-batched': null,
    'java-batch': null,
    'java-tuned': null,
    python: null,
    kafkajs: null,
    'java-scores': null,
    ceiling: null,
  });
  expect(result.rate).toMatchObject({ millrace: 100, 'kafka-streams': 25, python: null });
  expect(result.rssMb.millrace).toBe(210);
  expect(result.warmCpuPerMillion.millrace).toBe(8);
  expect(result.trusted).toMatchObject({ millrace: true, 'kafka-streams': false });
  expect(result.left['python']).toBe('mvn failed: no network');
  const table = peersTable(result).join('\n');
  expect(table).toContain('mvn failed: no network');
  expect(table).toMatch(/kafka-streams \*.*0\.25$/m);
});

test('rates are shares of what reading and writing alone would give; whole predictions cost what scores alone do not', () => {
  const beside = [
    round({ contestant: 'java-tuned', cpuSecondsPerMillion: 9, recordsPerSecond: 150 }),
    round({ contestant: 'java-scores', cpuSecondsPerMillion: 6.5, recordsPerSecond: 200 }),
    round({ contestant: 'ceiling', cpuSecondsPerMillion: 2, recordsPerSecond: 400 }),
  ];
  const asked = new Map(
    [...left].filter(([name]) => !['java-tuned', 'java-scores', 'ceiling'].includes(name)),
  );
  const result = resultOf(options, { rounds: [...rounds, ...beside], left: asked });
  expect(result.rateByCeiling).toMatchObject({
    millrace: 0.25,
    'java-tuned': 0.38,
    ceiling: 1,
    python: null,
  });
  expect(result.provenanceCpuPerMillion).toBe(2.5);
  expect(peersTable(result).join('\n')).toContain('2.5 CPU s/million');
  const without = resultOf(options, { rounds, left });
  expect([without.rateByCeiling.millrace, without.provenanceCpuPerMillion]).toEqual([null, null]);
});

test('a contestant that failed after a round has no figures', () => {
  const result = resultOf(options, { rounds, left: new Map([...left, ['millrace', 'it ended by itself']]) });
  expect(result.cpuPerMillion.millrace).toBeNull();
  expect(result.rate.millrace).toBeNull();
});

test.each(['missing', 'doubled', 'foreign', 'wrongScores', 'wrongFields'] as const)(
  'one record that is %s makes the run wrong',
  what => {
    const verdict = { ...RIGHT, [what]: 1 };
    expect(isRight(verdict)).toBe(false);
    expect(resultOf(options, { rounds: [...rounds, round({ verdict })], left }).correct).toBe(false);
  },
);

test('a run is right where all that ran was; who was asked for and has no figures failed', () => {
  expect(resultOf(options, { rounds, left }).correct).toBe(true);
  expect(resultOf(options, { rounds, left }).failed).toEqual(['python']);
  expect(resultOf({ ...options, only: ['millrace'] }, { rounds, left }).failed).toEqual([]);
});
