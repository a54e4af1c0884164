/** The definitions of the windows and aggregations once more, as plainly as they can be said: the whole past, every time. */
import {
  type Aggregate,
  compileCondition,
  compileExpression,
  compileNumber,
  durationMs,
} from '@millrace/define';
import type { FoldEvent } from '../../src/index.ts';

const env = { timeZone: 'UTC', field: (name: string) => (e: FoldEvent) => e.fields[name] };

const isBefore = (row: FoldEvent, e: FoldEvent): boolean => {
  if (row.time !== e.time) return row.time < e.time;
  if (row.sequence !== e.sequence) return row.sequence < e.sequence;
  if (row.stream !== e.stream) return row.knownAt !== undefined || row.stream < e.stream;
  if (row.partition !== e.partition) return row.partition < e.partition;
  return row.offset < e.offset;
};

/** What counts at the time of `e`: of each event its highest revision, of each label the highest known by then. */
const standing = (past: readonly FoldEvent[], stream: string, at: number): readonly FoldEvent[] => {
  const newest = new Map<string, FoldEvent>();
  for (const row of past) {
    if (row.stream !== stream || (row.knownAt !== undefined && row.knownAt > at)) continue;
    const other = newest.get(row.eventId);
    if (other === undefined || row.revision > other.revision) newest.set(row.eventId, row);
  }
  return [...newest.values()].filter(row => !row.withdrawn).toSorted((a, b) => (isBefore(a, b) ? -1 : 1));
};

/** The value of an aggregate for the event `e`, which is the last of `past`. */
export const naiveAggregate = (a: Aggregate, past: readonly FoldEvent[], e: FoldEvent): number => {
  const end = e.time - durationMs(a.delay);
  if (a.kind === 'inForce') {
    const empty = a.empty === 'missing' ? Number.NaN : a.empty;
    const row = standing(past, a.of, Number.POSITIVE_INFINITY).findLast(({ time }) => time <= e.time);
    const value = row === undefined ? Number.NaN : compileNumber(a.value!, env)(row);
    return Number.isNaN(value) ? empty : value;
  }
  const looksBack = a.kind === 'last' || a.kind === 'timeSinceLast';
  const inWindow = standing(past, a.of, e.time).filter(row => {
    if (row.time <= end - durationMs(a.window) || row.time > end) return false;
    if (durationMs(a.delay) > 0) return true;
    return row === e ? !looksBack : isBefore(row, e);
  });
  const where = a.where === undefined ? () => true : compileCondition(a.where, env);
  const rows = inWindow.filter(where);
  const number = a.value === undefined ? () => 0 : compileNumber(a.value, env);
  const values = rows.map(number).filter(v => !Number.isNaN(v));
  const empty = a.empty === 'missing' ? Number.NaN : a.empty;
  const factor = 10 ** a.scale;
  const sum = values.reduce((s, v) => s + BigInt(Math.round(v * factor)), 0n);
  switch (a.kind) {
    case 'count':
      return rows.length || empty;
    case 'sum':
      return values.length === 0 ? empty : Number(sum) / factor;
    case 'mean':
      return values.length === 0 ? empty : Number(sum) / (values.length * factor);
    case 'min':
      return values.length === 0 ? empty : Math.min(...values);
    case 'max':
      return values.length === 0 ? empty : Math.max(...values);
    case 'stddev': {
      if (values.length === 0) return empty;
      const mean = values.reduce((s, v) => s + v, 0) / values.length;
      return Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length);
    }
    case 'share':
      return inWindow.length === 0 ? empty : rows.length / inWindow.length;
    case 'distinct': {
      const value = compileExpression(a.value!, env);
      return new Set(rows.map(value).filter(v => v === v)).size || empty;
    }
    case 'last':
      return values.at(-1) ?? empty;
    case 'timeSinceLast':
      return rows.length === 0 ? empty : (e.time - rows.at(-1)!.time) / 1000;
    default:
      throw new RangeError(String(a.kind satisfies never));
  }
};
