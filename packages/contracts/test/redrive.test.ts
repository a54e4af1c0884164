import { expect, test } from '@jest/globals';
import { isRedriveHeader, redriveHeaders, type Redriven, redrivenOf } from '../src/index.ts';

const redriven: Redriven = { source: { topic: 'a.v1', partition: 3, offset: 2 ** 40 }, count: 2 };
const headers = (changes: Record<string, string> = {}) => {
  const all = new Map([
    ...redriveHeaders(redriven).map(([name, value]) => [name, value] as const),
    ...Object.entries(changes).map(([name, value]) => [name, Buffer.from(value)] as const),
  ]);
  return (name: string) => all.get(name);
};

test('what a redriven record says of itself is read back', () => {
  expect(redrivenOf(headers())).toEqual(redriven);
  expect(redriveHeaders(redriven).every(([name]) => isRedriveHeader(name))).toBe(true);
  expect(isRedriveHeader('__dlq.errors.topic')).toBe(false);
});

test.each([
  ['nothing', () => undefined],
  ['a negative partition', headers({ '__redrive.source.partition': '-1' })],
  ['an offset in words', headers({ '__redrive.source.offset': 'seven' })],
  ['an offset beyond exact numbers', headers({ '__redrive.source.offset': '9007199254740993' })],
  ['a topic that cannot be', headers({ '__redrive.source.topic': 'a'.repeat(250) })],
  ['an empty count', headers({ '__redrive.count': '' })],
])('%s is not believed', (_, header) => {
  expect(redrivenOf(header)).toBeUndefined();
});
