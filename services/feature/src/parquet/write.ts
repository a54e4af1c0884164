/** The only place that knows Parquet. The same columns give the same bytes. */
import { parquetWriteBuffer } from 'hyparquet-writer';

/** One column; every column of a file has as many values. */
export type Column =
  | { readonly name: string; readonly type: 'STRING'; readonly data: readonly (string | null)[] }
  | { readonly name: string; readonly type: 'BOOLEAN'; readonly data: readonly (boolean | null)[] }
  | { readonly name: string; readonly type: 'INT32'; readonly data: readonly (number | null)[] }
  | { readonly name: string; readonly type: 'INT64'; readonly data: readonly (bigint | null)[] }
  /** Missing is NaN, as in vectors. */
  | { readonly name: string; readonly type: 'FLOAT'; readonly data: Float32Array }
  /** Milliseconds since the epoch, UTC. */
  | { readonly name: string; readonly type: 'TIMESTAMP'; readonly data: readonly (Date | null)[] };

const ROW_GROUP_ROWS = 100_000;

/** @param about key and value pairs of the file's metadata. */
export const parquetBytes = (
  columns: readonly Column[],
  about: Readonly<Record<string, string>>,
): Uint8Array =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: columns.map(({ name, type, data }) => ({ name, type, data: data as unknown[] })),
      rowGroupSize: ROW_GROUP_ROWS,
      kvMetadata: Object.entries(about).map(([key, value]) => ({ key, value })),
    }),
  );
