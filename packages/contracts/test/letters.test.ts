import { describe, expect, test } from '@jest/globals';
import { letterOf } from '@millrace/contracts';

const GOOD = {
  topic: 't.v1',
  partition: '3',
  offset: '41',
  'delivery.count': '2',
  reason: 'bad-value',
  stage: 'feature fraud',
};
const read = (headers: Readonly<Record<string, string>>) =>
  letterOf(name => {
    const text = headers[name.replace('__dlq.errors.', '')];
    return text === undefined ? undefined : Buffer.from(text);
  }); // prettier-ignore

describe('what a letter says of itself', () => {
  test('is read back', () => {
    expect(read(GOOD)).toMatchObject({ rejected: { topic: 't.v1', partition: 3, offset: 41 }, deliveries: 2, redriven: 0 }); // prettier-ignore
  });

  test.each(['-1', '', ' 5', '1e3', '0x10', '1.5', '9007199254740993', 'NaN'])(
    "is no letter's where a place is '%s'",
    text => {
      for (const name of ['partition', 'offset']) expect(read({ ...GOOD, [name]: text })).toBeUndefined();
      expect(read({ ...GOOD, 'delivery.count': text })?.deliveries).toBe(1);
    },
  );

  test("is no letter's where a topic cannot be called so", () => {
    for (const topic of ['', 'a b', 'a/b', 'é', 'a'.repeat(250)])
      expect(read({ ...GOOD, topic })).toBeUndefined();
  });
});
