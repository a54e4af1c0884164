import { newerFormat } from '@millrace/features';

/** First byte of the records of a task's own bookkeeping. */
const FORMAT = 1;

export function formatted(bytes: Uint8Array): Uint8Array {
  const record = new Uint8Array(1 + bytes.length);
  record[0] = FORMAT;
  record.set(bytes, 1);
  return record;
}

/**
 * Where the content of a record begins.
 * @param isOlder whether a record is one of format 0, which did not say so.
 * @throws Error for a format of a newer release
 */
export function formattedFrom(
  what: string,
  record: Uint8Array,
  isOlder: (record: Uint8Array) => boolean = () => false,
): 0 | 1 {
  if (isOlder(record)) return 0;
  if (record[0] !== FORMAT) throw newerFormat(what, record[0]!, FORMAT);
  return 1;
}

/** Its content; see `formattedFrom`. */
export const unformatted = (
  what: string,
  record: Uint8Array,
  isOlder?: (record: Uint8Array) => boolean,
): Uint8Array => record.subarray(formattedFrom(what, record, isOlder));
