import { hash } from 'node:crypto';

const HEX_DIGITS = 32; // 16 bytes

/**
 * Id of one answer: first 16 bytes in hex of the SHA-256 of the parts in this order, as UTF-8 with a NUL between them.
 * No part but the event id can hold a NUL, so no two different answers are hashed from the same bytes.
 * @param role `answer`, or `shadow:<rollout>`
 * @param run `live`, or the run's id
 * @param seq 0 unless progressive
 */
export const predictionId = (
  pipeline: string,
  eventId: string,
  revision: number,
  run: string,
  role: string,
  seq: number,
): string =>
  hash('sha256', `${pipeline}\0${eventId}\0${revision}\0${run}\0${role}\0${seq}`, 'hex').slice(0, HEX_DIGITS);

export const PREDICTION_ID_DIGITS = HEX_DIGITS;

/** First 16 bytes in hex of the SHA-256 of an event's value, as it stands on its topic (frame included). */
export const inputHash = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex').slice(0, HEX_DIGITS);

export const INPUT_HASH_DIGITS = HEX_DIGITS;
