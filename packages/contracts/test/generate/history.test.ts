import { describe, expect, test } from '@jest/globals';
import { historyFile, historyProblems, versionToKeep } from '../../src/index.ts';

const record = (...fields: object[]): string => JSON.stringify({ type: 'record', name: 'R', fields });
const v1 = record({ name: 'a', type: 'int' });
const v2 = record({ name: 'a', type: 'int' }, { name: 'b', type: 'int', default: 0 });
const broken = record({ name: 'a', type: 'int' }, { name: 'c', type: 'int' });

describe('the history of a schema', () => {
  test('is readable, all of it', () => {
    expect(historyProblems({ path: 'x/y', current: v2, kept: [v1, v2] })).toEqual([]);
  });

  test('names each version that can no longer be read', () => {
    const problems = historyProblems({ path: 'x/y', current: broken, kept: [v1, v2] });
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatch(/^x\/y does not read its version 1: .*c/);
  });

  test('grows when the schema says something else, not when it is laid out differently', () => {
    const laidOut = JSON.stringify(JSON.parse(v2), undefined, 4);
    expect(versionToKeep({ path: 'x/y', current: v1, kept: [] })).toBe(1);
    expect(versionToKeep({ path: 'x/y', current: v2, kept: [v1] })).toBe(2);
    expect(versionToKeep({ path: 'x/y', current: laidOut, kept: [v1, v2] })).toBeUndefined();
    expect(historyFile('x/y', 2)).toBe('history/x/y.2.avsc');
  });
});
