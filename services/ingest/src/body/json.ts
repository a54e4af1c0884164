import { isUtf8 } from 'node:buffer';
import { Bad } from '@millrace/avro';

/** Levels of arrays and objects in one body. */
export const JSON_DEPTH_MAX = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** Depth of nesting, read off the bytes before anything is built from them. */
const depthOf = (bytes: Uint8Array): number => {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (quoted) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) quoted = false;
    } else if (byte === QUOTE) quoted = true;
    else if (OPENING.has(byte)) deepest = Math.max(deepest, ++depth);
    else if (CLOSING.has(byte)) depth--;
  }
  return deepest;
};

/** JSON as a value of unknown shape: a parsed `__proto__` is an ordinary own name, which the schema then refuses. */
export const parseJson = (bytes: Uint8Array): { readonly json: unknown } | Bad => {
  if (depthOf(bytes) > JSON_DEPTH_MAX)
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
