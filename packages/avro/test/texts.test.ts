import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { localCodec } from '../src/index.ts';
import { FieldTexts, KnownTexts } from '../src/texts.ts';

type Bytes = Parameters<KnownTexts['text']>[0];
const bytesOf = (text: string): Bytes => Buffer.from(text) as unknown as Bytes;

test('known texts are what the bytes hold, whatever came before in their place', () => {
  const text = fc.oneof(
    fc.constantFrom('', 'a', 'b', 'ab', 'ba', 'C-0001', 'C-0010'),
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.string({ unit: 'grapheme-ascii', maxLength: 40 }),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(1, 2, 8),
      fc.array(text, { minLength: 20, maxLength: 60 }),
      (places, texts) => {
        const known = new KnownTexts(places);
        // Twice over: what came once is found the second time, or displaced.
        for (const of of [...texts, ...texts, ...texts.toReversed()]) {
          const bytes = bytesOf(`<${of}>`);
          expect(known.text(bytes, 1, bytes.length - 1)).toBe(of);
        }
      },
    ),
  );
});

test('what comes once displaces nothing that has come twice', () => {
  const known = new KnownTexts(1);
  let made = 0;
  const counting = (text: string): Bytes => {
    const bytes = bytesOf(text);
    const slice = bytes.latin1Slice.bind(bytes);
    bytes.latin1Slice = (from, to) => (made++, slice(from, to));
    return bytes;
  };
  const read = (text: string): string => known.text(counting(text), 0, text.length);
  read('C-1');
  read('C-1');
  for (let i = 0; i < 100; i++) read(`tx-${i}`);
  made = 0;
  expect(read('C-1')).toBe('C-1');
  expect(made).toBe(0);
});

test('texts of every length are read by codecs, within records and in resolved schemas', () => {
  const schema = (...fields: readonly object[]): string =>
    JSON.stringify({ type: 'record', name: 'R', fields });
  const a = { name: 'a', type: 'string' };
  const b = { name: 'b', type: ['null', 'string'] };
  const codec = localCodec<{ a: string; b: string | null }>(schema(a, b));
  for (const length of [0, 1, 31, 32, 33, 63, 64, 65, 200])
    for (const unit of ['x', 'é', '😀'])
      for (let again = 0; again < 3; again++) {
        const value = { a: unit.repeat(length), b: unit.repeat(length + 1) };
        expect(codec.decode(codec.encode(value))).toEqual(value);
      }
});

test('texts of a field are what the bytes hold, whether they come once or again and again', () => {
  const texts = new FieldTexts();
  const read = (text: string): string => {
    const bytes = Buffer.from(`..${text}..`);
    return texts.text(bytes as never, 2, bytes.length - 2);
  };
  const once = fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { minLength: 100, maxLength: 700, size: 'max' }); // prettier-ignore
  fc.assert(
    fc.property(once, fc.constantFrom('c-1', 'Zoë', 'x'.repeat(40)), (strange, often) => {
      for (const text of strange) expect(read(text)).toBe(text);
      for (let i = 0; i < 300; i++) expect(read(often)).toBe(often);
    }),
    { numRuns: 20 },
  );
});
