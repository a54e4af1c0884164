import { Bad } from './bad.ts';

/** The Confluent frame: one zero byte, then the schema id as four bytes, big end first. */
export const FRAME_BYTES = 5;

/** Schema id of a frame, or -1 where the bytes are no frame. */
export const frameId = (bytes: Uint8Array, from = 0, to = bytes.length): number =>
  to - from < FRAME_BYTES || bytes[from] !== 0
    ? -1
    : ((bytes[from + 1]! << 24) | (bytes[from + 2]! << 16) | (bytes[from + 3]! << 8) | bytes[from + 4]!) >>>
      0;

export const writeFrame = (into: Uint8Array, schemaId: number): void => {
  into[0] = 0;
  into[1] = schemaId >>> 24;
  into[2] = schemaId >>> 16;
  into[3] = schemaId >>> 8;
  into[4] = schemaId;
};

export const frame = (schemaId: number, payload: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(FRAME_BYTES + payload.length);
  writeFrame(bytes, schemaId);
  bytes.set(payload, FRAME_BYTES);
  return bytes;
};

/** Schema id and payload (a view, no copy) of one framed value. */
export const readFrame = (bytes: Uint8Array): { schemaId: number; payload: Uint8Array } | Bad => {
  const schemaId = frameId(bytes);
  return schemaId === -1 ? badFrame(bytes) : { schemaId, payload: bytes.subarray(FRAME_BYTES) };
};

export const badFrame = (bytes: Uint8Array): Bad =>
  new Bad(
    'bad-frame',
    bytes.length < FRAME_BYTES
      ? `the value has ${bytes.length} bytes; a frame has at least ${FRAME_BYTES}`
      : `the value begins with byte ${bytes[0]}, not with 0: encode it with a Confluent-compatible Avro serializer`,
  );
