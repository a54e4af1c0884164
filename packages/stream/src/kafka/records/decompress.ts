import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { BrokerError } from '../../broker/port.ts';

/** Bytes of one batch once it is decompressed, at most: a small batch must not fill the memory, or keep the thread. */
export const DECOMPRESSED_BYTES_MAX = 8 * 1_048_576;

const GZIP = 1;
const ZSTD = 4;
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** @throws BrokerError for a codec that we do not have, for bytes that it cannot read, and for too many of them */
export const decompress = (codec: number, bytes: Buffer, where: string): Buffer => {
  const options = { maxOutputLength: DECOMPRESSED_BYTES_MAX };
  const name = CODECS[codec] ?? `codec ${codec}`;
  try {
    if (codec === GZIP) return gunzipSync(bytes, options);
    if (codec === ZSTD) return zstdDecompressSync(bytes, options);
  } catch (cause) {
    const what =
      (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
        ? `the batch has more than ${DECOMPRESSED_BYTES_MAX} bytes once it is decompressed with ${name}: have it written in smaller batches, or read it with MILLRACE_KAFKA_BYTES=stock`
        : `the batch cannot be decompressed with ${name}`;
    throw new BrokerError(`${where}: ${what}`, { retriable: false, cause });
  }
  throw new BrokerError(
    `${where}: the batch is compressed with ${name}, which is not read here: give the topic compression.type gzip, zstd or uncompressed, and the broker compresses anew`,
    { retriable: false },
  );
};
