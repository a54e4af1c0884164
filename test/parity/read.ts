import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { FoldEvent } from '@millrace/features';

/** Folder with data whose results are published elsewhere, or undefined: it is beside the repository or named. */
export const sharedData = (name: string): string | undefined => {
  const folder = join(import.meta.dirname, '..', '..', '..', 'shared', 'data', name);
  return existsSync(folder) ? folder : undefined;
};

/** Paths of a folder's daily files (`2018-04-01.csv.gz`, or without the last ending), days inclusive, in order. */
export const dailyFiles = (folder: string, from = '', to = '9999'): readonly string[] =>
  readdirSync(folder)
    .filter(name => /^\d{4}-\d{2}-\d{2}\.csv(\.gz)?$/.test(name))
    .filter(name => name.slice(0, 10) >= from && name.slice(0, 10) <= to)
    .sort()
    .map(name => join(folder, name));

/** Lines of one file, cut at commas; these files quote nothing. The first line names the columns. */
export const readCsv = (path: string): { readonly columns: readonly string[]; readonly rows: string[][] } => {
  const bytes = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const [columns = [], ...rows] = text.split('\n').filter(line => line !== '').map(line => line.split(',')); // prettier-ignore
  return { columns, rows };
};

/** One line of the raw files. */
export interface RawTransaction {
  readonly id: number;
  readonly txAt: number;
  readonly customerId: string;
  readonly terminalId: string;
  readonly amount: number;
  readonly isFraud: boolean;
}

export function* readTransactions(files: readonly string[]): Generator<RawTransaction> {
  for (const file of files)
    for (const [id, at, customerId, terminalId, amount, isFraud] of readCsv(file).rows)
      yield {
        id: Number(id),
        txAt: Date.parse(at!),
        customerId: customerId!,
        terminalId: terminalId!,
        amount: Number(amount),
        isFraud: isFraud === '1',
      };
}

const LABEL_DELAY_MS = 7 * 86_400_000;

/** A transaction as the pipeline's two streams carry it: what was done, and a week later what it was. */
export const transactionFields = (raw: RawTransaction) => ({
  eventId: `tx-${raw.id}`,
  revision: 0,
  withdrawn: false,
  sequence: raw.id,
  txAt: raw.txAt,
  customerId: raw.customerId,
  terminalId: raw.terminalId,
  amount: raw.amount,
});
export const labelFields = (raw: RawTransaction) => {
  const { amount: _, ...fields } = transactionFields(raw);
  return { ...fields, knownAt: raw.txAt + LABEL_DELAY_MS, isFraud: raw.isFraud };
};

const eventOf = (raw: RawTransaction): FoldEvent => ({
  stream: 'transactions',
  eventId: `tx-${raw.id}`,
  revision: 0,
  withdrawn: false,
  time: raw.txAt,
  knownAt: undefined,
  sequence: raw.id,
  partition: 0,
  offset: raw.id,
  fields: transactionFields(raw),
});
const labelOf = (raw: RawTransaction): FoldEvent => ({
  ...eventOf(raw),
  stream: 'labels',
  knownAt: raw.txAt + LABEL_DELAY_MS,
  fields: labelFields(raw),
});

/** Both streams in order time, labels first where the times are equal. The input is in order of its ids. */
export function* inOrderTime(transactions: Iterable<RawTransaction>): Generator<FoldEvent> {
  const waiting: RawTransaction[] = [];
  let next = 0;
  for (const raw of transactions) {
    while (next < waiting.length && waiting[next]!.txAt + LABEL_DELAY_MS <= raw.txAt)
      yield labelOf(waiting[next++]!);
    if (next > 100_000) waiting.splice(0, next).length = next = 0;
    waiting.push(raw);
    yield eventOf(raw);
  }
}

/** Published features by transaction id, in the order of `columns`. */
export const readPublished = (
  files: readonly string[],
  columns: readonly string[],
): ReadonlyMap<number, Float64Array> => {
  const published = new Map<number, Float64Array>();
  for (const file of files) {
    const { columns: found, rows } = readCsv(file);
    const places = columns.map(column => found.indexOf(column));
    if (places.includes(-1)) throw new Error(`${file} lacks one of the columns ${columns.join(', ')}`);
    for (const row of rows)
      published.set(
        Number(row[0]),
        Float64Array.from(places, at => Number(row[at])),
      );
  }
  return published;
};

/**
 * Ids of rows that share customer and second with another, and that the published file has in the other order than their
 * ids (`reference/same_second_ties.csv`): neither order is wrong.
 */
export const readReversedTies = (path: string): ReadonlySet<number> =>
  new Set(readCsv(path).rows.filter(row => row[3] === 'later_id_first').map(row => Number(row[0]))); // prettier-ignore
