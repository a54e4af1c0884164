import { isUtf8 } from 'node:buffer';
import { Bad } from '@millrace/avro';

/** Levels of arrays and objects in one body. */
export const JSON_DEPTH_MAX = 32;
/**
 * Values in one body, counted by commas and brackets. Millions of empty arrays fit into few bytes, and building them
 * would hold up everybody else.
 */
export const JSON_VALUES_MAX = 250_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

const COMMA = 0x2c;

/** Depth of nesting and number of values, read off the bytes before anything is built from them. */
const shapeOf = (bytes: Uint8Array): { readonly depth: number; readonly values: number } => {
  let level = 0;
  let depth = 0;
  let values = 1;
  let quoted = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (quoted) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) quoted = false;
    } else if (byte === QUOTE) quoted = true;
    else if (byte === COMMA) values++;
    else if (OPENING.has(byte)) {
      values++;
      depth = Math.max(depth, ++level);
    } else if (CLOSING.has(byte)) level--;
  }
  return { depth, values };
};

/** JSON as a value of unknown shape: a parsed `__proto__` is an ordinary own name, which the schema then refuses. */
export const parseJson = (bytes: Uint8Array): { readonly json: unknown } | Bad => {
  const { depth, values } = shapeOf(bytes);
  if (values > JSON_VALUES_MAX)
    return new Bad('too-large', `the JSON holds more than ${JSON_VALUES_MAX} values; send fewer at a time`);
  if (depth > JSON_DEPTH_MAX)
    return new Bad('too-large', `the JSON is nested deeper than ${JSON_DEPTH_MAX} levels; send it flatter`);
  if (!isUtf8(bytes)) return new Bad('bad-value', 'the body is not UTF-8; send JSON in UTF-8');
  try {
    return { json: JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // The parser's own words may quote the body, so only the position is told.
    const position = /position (\d+)/.exec(error.message)?.[1];
    const where = position === undefined ? '' : ` at character ${position}`;
    return new Bad('bad-value', `the body is not JSON${where}; check commas, quotes and brackets`);
  }
};
