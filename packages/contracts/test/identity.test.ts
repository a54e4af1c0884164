import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { inputHash, predictionId, PredictionIds } from '../src/index.ts';

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
  // A message takes one block, or two, or many, or is too long for a lane.
  const length = fc.constantFrom(20, 40, 100, 300, 2_000);
  const text = length.chain(maxLength => fc.string({ unit: 'grapheme', maxLength }));
  // They share lanes, in which each finds what another has left.
  const pipelines = ['fraud', 'credit'].map(name => ({ name, ids: new PredictionIds(name, 'answer', 0) }));
  const answer = fc.record({ eventId: text, revision: fc.nat(2), run: fc.constantFrom('live', 'r-1'), before: fc.nat(9) }); // prettier-ignore
  const batches = fc.array(fc.tuple(fc.constantFrom(...pipelines), fc.array(answer, { maxLength: 9 })));
  fc.assert(
    fc.property(batches, all => {
      for (const [{ name, ids }, answers] of all) {
        const digits = ids.of(answers.length, (row, parts) => {
          const { eventId, revision, run, before } = answers[row]!;
          const id = Buffer.from(eventId);
          const bytes = Buffer.concat([Buffer.alloc(before, 7), id, Buffer.alloc(3, 7)]);
          Object.assign(parts, { bytes, from: before, to: before + id.length, revision, run });
        });
        const found = Buffer.from(digits).toString('latin1').match(/.{32}/gs) ?? [];
        expect(found.slice(0, answers.length)).toEqual(
          answers.map(({ eventId, revision, run }) =>
            predictionId(name, eventId, revision, run, 'answer', 0),
          ),
        );
      }
    }),
  );
});

test('an input hash is the first half of the SHA-256 of the bytes', () => {
  // The test vector "abc" of FIPS 180-4.
  expect(inputHash(Buffer.from('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223');
});
