import { createHash } from 'node:crypto';
import { Bad } from '@millrace/avro';

export const IDEMPOTENCY_KEY_CHARS_MAX = 256;
const PRINTABLE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** The request's own name, given by its sender, under which it may be sent again; undefined where there is none. */
export const idempotencyKey = (header: string | undefined): string | undefined | Bad => {
  if (header === undefined) return undefined;
  if (header.length <= IDEMPOTENCY_KEY_CHARS_MAX && PRINTABLE.test(header)) return header;
  return new Bad(
    'bad-value',
    `Idempotency-Key must be 1 to ${IDEMPOTENCY_KEY_CHARS_MAX} printable ASCII characters; send a UUID`,
  );
};

const ID_CHARS = 32;

/**
 * The id of an event that came without one, the same each time the request is sent: from the request's name, who sent it
 * and where to, and the event's place in it.
 */
export const repeatableId = (request: readonly string[], index: number): string =>
  createHash('sha256')
    .update(JSON.stringify([...request, index]))
    .digest('hex')
    .slice(0, ID_CHARS);
