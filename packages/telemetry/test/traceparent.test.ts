import { expect, test } from '@jest/globals';
import { formatTraceparent, newTraceparent, parseTraceparent } from '../src/index.ts';

const VALID = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test('a valid traceparent is read and written back', () => {
  const context = parseTraceparent(VALID);
  expect(context).toEqual({
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    sampled: true,
  });
  expect(formatTraceparent(context!)).toBe(VALID);
  expect(parseTraceparent(VALID.replace(/01$/, '00'))?.sampled).toBe(false);
});

// The cases are those the W3C recommendation names: forbidden version, zero ids, capitals, length, fields of a later version.
test.each([
  ['', undefined],
  [VALID.toUpperCase(), undefined],
  [VALID.replace(/^00/, 'ff'), undefined],
  [`${VALID}-more`, undefined],
  [VALID.slice(0, -1), undefined],
  [`00-${'0'.repeat(32)}-b7ad6b7169203331-01`, undefined],
  [`00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`, undefined],
  [`${VALID.replace(/^00/, '01')}-more`, 'b7ad6b7169203331'],
])('%s', (text, spanId) => {
  expect(parseTraceparent(text)?.spanId).toBe(spanId);
});

test('a new traceparent is valid whatever the randomness gives', () => {
  for (const value of [0, 0.5, 0.999999])
    expect(parseTraceparent(newTraceparent(() => value))?.sampled).toBe(true);
});
