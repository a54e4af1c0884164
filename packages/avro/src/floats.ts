/** Avro's floats lie with their small end first, as in every machine that we run on. */
export const FLOAT_BYTES = 4;
export const DOUBLE_BYTES = 8;

const doubles = new Float64Array(1);
const floats = new Float32Array(1);
const doubleBytes = new Uint8Array(doubles.buffer);
const floatBytes = new Uint8Array(floats.buffer);

export const readFloat = (bytes: Uint8Array, at: number): number => {
  for (let k = 0; k < FLOAT_BYTES; k++) floatBytes[k] = bytes[at + k]!;
  return floats[0]!;
};

export const readDouble = (bytes: Uint8Array, at: number): number => {
  for (let k = 0; k < DOUBLE_BYTES; k++) doubleBytes[k] = bytes[at + k]!;
  return doubles[0]!;
};
