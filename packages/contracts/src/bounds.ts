/**
 * Bytes of an event's value, with its frame. Whatever is made of it on the way holds it at most once, beside keys: a record
 * that a broker refuses would stop its partition for good.
 */
export const EVENT_BYTES_MAX = 512 * 1_024;
/** Bytes of an event's key. */
export const EVENT_KEY_BYTES_MAX = 1_024;
/** What brokers take in a batch where nothing is said, and room for the headers that a letter or its copy has beside. */
export const LETTER_BATCH_BYTES_MAX = 1_048_588 + 128 * 1_024;
