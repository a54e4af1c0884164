import { expect, test } from '@jest/globals';
import { closingOf } from '../src/closing.ts';

const ROUNDS = [{}];

test('right answers of all are a success', () => {
  for (const failed of [undefined, []]) {
    const { good, lines } = closingOf({ correct: true, rounds: ROUNDS, ...(failed && { failed }) });
    expect(good).toBe(true);
    expect(lines).toEqual(['every record was answered once, with the score of the model offline']);
  }
});

test('a wrong answer is a failure, and called so', () => {
  const { good, lines } = closingOf({ correct: false, rounds: ROUNDS });
  expect(good).toBe(false);
  expect(lines.join()).toContain('WRONG');
});

test('one that failed makes the run a failure, in a sentence of its own', () => {
  const { good, lines } = closingOf({ correct: true, rounds: ROUNDS, failed: ['python', 'flink'] });
  expect(good).toBe(false);
  expect(lines).toHaveLength(2);
  expect(lines[0]).toContain('every record was answered once');
  expect(lines[1]).toContain('FAILED to run: python, flink');
});

test('without a round nothing was measured: neither right nor wrong, and a failure', () => {
  const { good, lines } = closingOf({ correct: true, rounds: [], failed: ['millrace'] });
  expect(good).toBe(false);
  expect(lines[0]).toContain('nothing was measured');
  expect(lines.join()).not.toMatch(/WRONG|every record/);
});

test('it is said what answers were compared with', () => {
  const { lines } = closingOf({ correct: true, rounds: ROUNDS, judgedBy: 'the vector of the fold offline' });
  expect(lines).toEqual(['every record was answered once, with the vector of the fold offline']);
});

test('it is said who else read the answers, and loudly where nobody did', () => {
  const [both] = closingOf({ correct: true, rounds: ROUNDS, judge: 'judge.py' }).lines;
  expect(both).toBe(
    'every record was answered once, with the score of the model offline; judge.py says so, too',
  );
  const alone = closingOf({ correct: true, rounds: ROUNDS, judge: null, judgeLeft: 'python3 failed' });
  expect(alone.lines[0]).not.toContain('too');
  expect(alone.lines[1]).toMatch(/^NOT JUDGED .* python3 with venv: python3 failed$/);
  expect(alone.good).toBe(true);
});
