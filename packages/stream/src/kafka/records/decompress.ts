import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { BrokerError } from '../../broker/port.ts';

/** Bytes of one batch once it is decompressed, at most: a small batch must not fill the memory. */
export const DECOMPRESSED_BYTES_MAX = 64 * 1_048_576;

const GZIP = 1;
const ZSTD = 4;
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** @throws BrokerError for a codec that we do not have, and for bytes that it cannot read */
export const decompress = (codec: number, bytes: Buffer, where: string): Buffer => {
  const options = { maxOutputLength: DECOMPRESSED_BYTES_MAX };
  const name = CODECS[codec] ?? `codec ${codec}`;
  try {
    if (codec === GZIP) return gunzipSync(bytes, options);
    if (codec === ZSTD) return zstdDecompressSync(bytes, options);
  } catch (cause) {
    throw new BrokerError(`${where}: the batch cannot be decompressed with ${name}`, {
      retriable: false,
      cause,
    });
  }
  throw new BrokerError(
    `${where}: the batch is compressed with ${name}, which is not read here: give the topic compression.type gzip, zstd or uncompressed, and the broker compresses anew`,
    { retriable: false },
  );
};
