import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Bad, FRAME_BYTES } from '../../src/index.ts';
import { evolved } from './evolving.ts';
import { met } from './met.ts';

const RUNS = 500;

describe('a value of any writer whose schema ours has evolved from', () => {
  test('has the bytes that avsc makes of it', () => {
    fc.assert(
      fc.property(evolved, ({ writer, reader, value }) => {
        const { encode, rewritten, rewrittenChecked, rewrittenByAvsc } = met(writer, reader);
        const bytes = encode(value);
        const wanted = rewrittenByAvsc(bytes);
        expect(wanted).not.toBeInstanceOf(Bad);
        expect(rewritten(bytes)).toEqual(wanted);
        expect(rewrittenChecked(bytes)).toEqual(wanted);
      }),
      { numRuns: RUNS },
    );
  });

  test('cut at whatever byte, is refused exactly where avsc refuses it', () => {
    fc.assert(
      fc.property(evolved, ({ writer, reader, value }) => {
        const { encode, read, readByAvsc } = met(writer, reader);
        const bytes = encode(value);
        for (let length = FRAME_BYTES; length <= bytes.length; length++) {
          const cut = bytes.subarray(0, length);
          const [found, wanted] = [read(cut), readByAvsc(cut)];
          if (wanted instanceof Bad) expect(found).toMatchObject({ reason: wanted.reason });
          else expect(found).toEqual(wanted);
        }
      }),
      { numRuns: RUNS / 5 },
    );
  });

  test('with some of its bytes changed, left out or put in, is what avsc says', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.uint8Array({ maxLength: 3 })), { minLength: 1, maxLength: 3 }); // prettier-ignore
    fc.assert(
      fc.property(evolved, changes, ({ writer, reader, value }, all) => {
        const { encode, read, readByAvsc } = met(writer, reader);
        let bytes = encode(value);
        for (const [at, drop, put] of all) {
          const i = FRAME_BYTES + (at % (bytes.length - FRAME_BYTES + 1));
          bytes = Buffer.concat([bytes.subarray(0, i), put, bytes.subarray(i + drop)]);
        }
        const [found, wanted] = [read(bytes), readByAvsc(bytes)];
        // Of several faults the one that is met first has its say.
        if (wanted instanceof Bad) expect(found).toBeInstanceOf(Bad);
        else expect(found).toEqual(wanted);
      }),
      { numRuns: RUNS * 2 },
    );
  });
});
