import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { inputHash, PREDICTION_ID_DIGITS, predictionId, PredictionIds } from '../src/index.ts';

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

test('ids of event ids that are bytes are those of event ids that are text', () => {
  const long = fc.string({ unit: 'grapheme', minLength: 300, maxLength: 400 });
  const text = fc.oneof({ weight: 5, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) }, long);
  const ids = new PredictionIds('fraud', 'answer', 0);
  const answers = fc.array(fc.tuple(text, fc.nat(2), fc.constantFrom('live', 'r-1'), fc.nat(9)));
  fc.assert(
    fc.property(answers, all => {
      for (const [eventId, revision, run, before] of all) {
        const id = Buffer.from(eventId);
        const bytes = Buffer.concat([Buffer.alloc(before, 7), id, Buffer.alloc(3, 7)]);
        const digest = ids.digest(bytes, before, before + id.length, revision, run);
        expect(digest.slice(0, PREDICTION_ID_DIGITS)).toBe(
          predictionId('fraud', eventId, revision, run, 'answer', 0),
        );
      }
    }),
  );
});

test('an input hash is the first half of the SHA-256 of the bytes', () => {
  // The test vector "abc" of FIPS 180-4.
  expect(inputHash(Buffer.from('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223');
});
