/**
 * The record batch, magic 2 (https://kafka.apache.org/documentation/#recordbatch): where its fields lie. Numbers are
 * big-endian; what follows the header are records, whose numbers are zigzag varints.
 */
export const BASE_OFFSET_AT = 0;
/** Bytes of the batch after this field. */
export const LENGTH_AT = 8;
export const LEADER_EPOCH_AT = 12;
export const MAGIC_AT = 16;
export const CRC_AT = 17;
/** The checksum covers the batch from here to its end. */
export const ATTRIBUTES_AT = 21;
export const LAST_OFFSET_DELTA_AT = 23;
export const BASE_TIMESTAMP_AT = 27;
export const MAX_TIMESTAMP_AT = 35;
export const PRODUCER_ID_AT = 43;
export const PRODUCER_EPOCH_AT = 51;
export const BASE_SEQUENCE_AT = 53;
export const COUNT_AT = 57;
export const RECORDS_AT = 61;

/** What lies before the bytes that the length counts. */
export const PREFIX_BYTES = 12;
export const MAGIC = 2;

export const COMPRESSION_MASK = 0x07;
export const LOG_APPEND_TIME = 0x08;
export const TRANSACTIONAL = 0x10;
export const CONTROL = 0x20;
