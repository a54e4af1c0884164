import { newerFormat } from '@millrace/features';

/** First byte of the records of a task's own bookkeeping. */
export const FORMAT = 1;

export function formatted(bytes: Uint8Array): Uint8Array {
  const record = new Uint8Array(1 + bytes.length);
  record[0] = FORMAT;
  record.set(bytes, 1);
  return record;
}

/**
 * @param isOlder whether a record is one of format 0, which did not say so.
 * @throws Error for a format of a newer release
 */
export function unformatted(
  what: string,
  record: Uint8Array,
  isOlder: (record: Uint8Array) => boolean = () => false,
): Uint8Array {
  if (isOlder(record)) return record;
  if (record[0] !== FORMAT) throw newerFormat(what, record[0]!, FORMAT);
  return record.subarray(1);
}
