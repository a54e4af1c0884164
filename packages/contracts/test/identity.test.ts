import { describe, expect, test } from '@jest/globals';
import { inputHash, predictionId } from '../src/index.ts';

describe('prediction ids', () => {
  const parts = ['fraud', 'e-1', 0, 'live', 'answer', 0] as const;

  test('are what the schema says: printf "fraud\\0e-1\\0000\\0live\\0answer\\0000" | sha256sum', () => {
    expect(predictionId(...parts)).toBe('aabe24916dac2363eb2a4305f078393c');
  });

  test('differ where any part differs', () => {
    const ids = [
      predictionId(...parts),
      predictionId('fraud2', 'e-1', 0, 'live', 'answer', 0),
      predictionId('fraud', 'e-2', 0, 'live', 'answer', 0),
      predictionId('fraud', 'e-1', 1, 'live', 'answer', 0),
      predictionId('fraud', 'e-1', 0, '2026-01-01', 'answer', 0),
      predictionId('fraud', 'e-1', 0, 'live', 'shadow:next', 0),
      predictionId('fraud', 'e-1', 0, 'live', 'answer', 1),
      // Parts that would run together without the bytes between them.
      predictionId('frau', 'de-1', 0, 'live', 'answer', 0),
      predictionId('fraud', 'e-1\u00000', 0, 'live', 'answer', 0),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test('an input hash is the first half of the SHA-256 of the bytes', () => {
  // The test vector "abc" of FIPS 180-4.
  expect(inputHash(Buffer.from('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223');
});
