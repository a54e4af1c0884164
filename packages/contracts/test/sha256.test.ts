import { hash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  BLOCK_BYTES,
  blocksOf,
  FourDigests,
  LANE_BYTES,
  LANES,
  PADDED_BYTES_MIN,
  PADDING,
} from '../src/sha256.ts';

const four = new FourDigests();

/** Digests in hex of up to four messages. */
const digestsOf = (messages: readonly Uint8Array[]): readonly string[] => {
  const lanes = messages.map((message, i) => {
    const blocks = blocksOf(message.length);
    const lane = Buffer.from(four.bytes.buffer, i * LANE_BYTES, blocks * BLOCK_BYTES).fill(0);
    lane.set(message);
    lane[message.length] = PADDING;
    four.putLength(message.length, i * LANE_BYTES + lane.length);
    return { blocks };
  });
  const found: string[] = [];
  const word = (lane: number) => (_: unknown, i: number) =>
    (four.word(i, lane) >>> 0).toString(16).padStart(8, '0');
  four.digest(lanes, messages.length, lane => (found[lane] = Array.from({ length: 8 }, word(lane)).join('')));
  return found;
};

test('digests are those of the examples that came with FIPS 180-4', () => {
  const abc = Buffer.from('abc');
  const two = Buffer.from('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq');
  expect(digestsOf([abc, abc, abc, abc])).toEqual(
    Array(LANES).fill('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'),
  );
  expect(digestsOf([two, two, two, two])).toEqual(
    Array(LANES).fill('248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1'),
  );
});

test('each lane has the digest of its own message, whatever the lengths of the others', () => {
  const message = fc.uint8Array({ maxLength: LANE_BYTES - PADDED_BYTES_MIN });
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: LANES }), messages => {
      expect(digestsOf(messages)).toEqual(messages.map(one => hash('sha256', one, 'hex')));
    }),
  );
});
