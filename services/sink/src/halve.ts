import { BadRows } from './postgres/errors.ts';
import type { StoredPrediction } from './postgres/database.ts';

/** Stores rows and moves the offset from `expected` to `next`, in one transaction. */
export type StoreRows = (expected: number, next: number, rows: readonly StoredPrediction[]) => Promise<void>;

/**
 * Stores rows; where the database refuses them for what they hold, halves them until the bad ones are alone. The offset
 * moves with each half, so nothing is stored twice and order is kept.
 * @returns the bad rows by offset, each with the database's reason: they are not stored, and the offset is past them
 */
export const storeHalving = async (
  store: StoreRows,
  expected: number,
  next: number,
  rows: readonly StoredPrediction[],
): Promise<ReadonlyMap<number, string>> => {
  try {
    await store(expected, next, rows);
    return new Map();
  } catch (error) {
    if (!(error instanceof BadRows)) throw error;
    if (rows.length > 1) {
      const half = rows.length >> 1;
      const middle = Math.max(expected, rows[half]!.offset);
      const bad = await storeHalving(store, expected, middle, rows.slice(0, half));
      return new Map([...bad, ...(await storeHalving(store, middle, next, rows.slice(half)))]);
    }
    await store(expected, next, []);
    return new Map(rows.map(({ offset }) => [offset, error.message]));
  }
};
