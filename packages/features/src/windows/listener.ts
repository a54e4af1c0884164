import type { NewRow } from './row.ts';

/** What is derived from the rows of a timeline and kept beside it is told what changes. */
export interface TimelineListener {
  /** A row begins to count. */
  added?(row: NewRow): void;
  /** A row ceases to count. */
  removed?(row: NewRow): void;
  /** Rows before this time are gone. */
  dropped?(beforeTime: number): void;
}
