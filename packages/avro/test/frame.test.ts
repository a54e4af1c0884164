import { describe, expect, test } from '@jest/globals';
import { Bad, frame, readFrame } from '../src/index.ts';

describe('the Confluent frame', () => {
  test('is a zero byte, the id with its big end first, and the payload', () => {
    expect([...frame(0x01020304, Uint8Array.of(9, 8))]).toEqual([0, 1, 2, 3, 4, 9, 8]);
  });

  test.each([0, 1, 0x7fffffff, 0xffffffff])('gives id %d back', id => {
    const read = readFrame(frame(id, Uint8Array.of(7)));
    expect(read).toEqual({ schemaId: id, payload: Uint8Array.of(7) });
  });

  test.each([
    [[]],
    [[0]],
    [[0, 0, 0, 1]],
    [[1, 0, 0, 0, 1, 2]],
    [[0x7b, 0x22, 0x61, 0x22, 0x3a, 0x31, 0x7d]],
  ])('bytes %j are none', bytes => {
    const read = readFrame(Uint8Array.from(bytes));
    expect(read).toBeInstanceOf(Bad);
    expect((read as Bad).reason).toBe('bad-frame');
  });
});
