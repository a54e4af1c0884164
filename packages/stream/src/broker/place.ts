import type { BytesPlace, RecordRun } from './port.ts';

export const noPlace = (): BytesPlace => ({ bytes: new Uint8Array(0), from: 0, to: 0 });

/** The place of bytes that have a view of their own. @returns whether there are any */
export const placeOf = (bytes: Uint8Array | null, place: BytesPlace): boolean => {
  if (bytes === null) return false;
  place.bytes = bytes;
  place.from = 0;
  place.to = bytes.length;
  return true;
};

type Keys = Pick<RecordRun, 'key' | 'keyIn'>;
interface Values extends Pick<RecordRun, 'valueIn'> {
  bytes(i: number): Uint8Array | null;
}

/** Where a key lies, without a view of it where its source can do without. False: there is none. */
export const placeOfKey = (of: Keys, i: number, place: BytesPlace): boolean =>
  of.keyIn === undefined ? placeOf(of.key(i), place) : of.keyIn(i, place);

/** The same of a value. */
export const placeOfValue = (of: Values, i: number, place: BytesPlace): boolean =>
  of.valueIn === undefined ? placeOf(of.bytes(i), place) : of.valueIn(i, place);
