import type { BytesPlace } from '@millrace/stream';

/** Where bytes lie in what was fetched: with others before them and behind them. */
export const among = (bytes: Uint8Array): BytesPlace => ({
  bytes: Buffer.concat([bytes, Buffer.alloc(3, 7), bytes, bytes]),
  from: bytes.length + 3,
  to: 2 * bytes.length + 3,
});
